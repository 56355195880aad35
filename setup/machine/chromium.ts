/** A Chromium for the tests of the live page: found, or on Debian and Ubuntu as root installed first. */
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { debianProblem, installPackages } from "./debian_install.ts";
import { isFile } from "./is_file.ts";

/** Where Debian and others put it. */
const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser's program, or `undefined` where there is none. `CHROMIUM` names another one. */
export function findChromium(
  read: (name: string) => string | undefined = Deno.env.get,
): string | undefined {
  const named = read("CHROMIUM");
  return [...(named ? [named] : []), ...CANDIDATES].find(isFile);
}

/** What {@link requireChromium} needs to know. */
export interface ChromiumOptions {
  /** The environment: `CHROMIUM`, and `BROKER_INSTALL=never`, which forbids every installation. */
  readonly read: (name: string) => string | undefined;
  readonly say: (line: string) => void;
}

/**
 * The browser's program; installed first where it is missing and that is allowed.
 *
 * @throws {BrokerSetupError} when there is none and it cannot be installed: with what to run.
 */
export async function requireChromium({ read, say }: ChromiumOptions): Promise<string> {
  const found = findChromium(read);
  if (found) return found;
  const problem = await debianProblem(read) ?? await install(say);
  const installed = findChromium(read);
  if (installed) return installed;
  throw new BrokerSetupError(
    `The tests of the live page need Chromium: it is not installed, and not installable here: ${problem}\n` +
      "Run this, then try again: sudo apt-get install -y chromium (or name one with CHROMIUM)",
  );
}

async function install(say: (line: string) => void): Promise<string | undefined> {
  say("Installing chromium with apt-get (a minute or two; BROKER_INSTALL=never forbids it).");
  return await installPackages(["chromium"]);
}
