/** One installation at a time on this machine: `apt-get` refuses a second one. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ignoreNotFound } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { LateError, poll } from "@ecomarket/shared/base/poll";

/** What to install, and how to see that it is there. */
export interface Installation {
  readonly isInstalled: () => boolean;
  /** @returns why it could not, or nothing. */
  readonly install: () => Promise<string | undefined>;
  readonly say: (line: string) => void;
}

/** How long another process's installation may take, in milliseconds. */
const LOCK_TIMEOUT_MS = 15 * 60_000;

/**
 * Installs what is missing. Programs that ask at the same time wait for one installation.
 *
 * @returns why it is not installed now, or nothing.
 * @throws {LateError} when another process's installation takes longer than any should.
 */
export async function installOnce(
  { isInstalled, install, say }: Installation,
): Promise<string | undefined> {
  const directory = join(tmpdir(), "ecomarket_install");
  // n.b. while another process installs it, its files are there before it can run.
  const isUnderWay = await Deno.stat(directory).catch(ignoreNotFound);
  if (isInstalled() && !isUnderWay) return undefined;
  using _lock = await lockInstallation(directory, say);
  const problem = isInstalled() ? undefined : await install();
  // Whoever waits for the lock has its file open: it finds all installed, or the same problem.
  await Deno.remove(directory, { recursive: true }).catch(() => {});
  return problem;
}

async function lockInstallation(
  directory: string,
  say: (line: string) => void,
): Promise<Disposable> {
  /** n.b. whoever held it before may remove the folder at any moment. */
  const take = () => {
    Deno.mkdirSync(directory, { recursive: true });
    try {
      return tryLockFolder(directory);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
  const taken = take();
  if (taken) return taken;
  say("Another program is installing what is needed here: waiting for it.");
  const lock = await poll(take, { timeoutMs: LOCK_TIMEOUT_MS, intervalMs: 100 });
  if (lock) return lock;
  throw new LateError(`another program's installation (the lock of ${directory})`, LOCK_TIMEOUT_MS);
}
