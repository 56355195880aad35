/**
 * Whose processes the server's are. Its programs refuse to run as root, for whoever took such a server
 * over would have the machine (`check_root()` in PostgreSQL's `src/backend/main/main.c`).
 */
import { dirname } from "node:path";
import { DatabaseSetupError } from "@ecomarket/shared/base/errors";
import { runProgram } from "../machine/run_program.ts";

/** How a program is run as the server's user. */
export interface ServerUser {
  /** The program that runs another one, and its arguments; nothing where we are no root. */
  readonly prefix: readonly string[];
  /** Who owns the server's folder; nothing where that is us. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** In this order: Debian's package makes the first, each Linux has the second. */
const CANDIDATES = ["postgres", "nobody"];

/**
 * The user for a server of ours: ourselves, or, where we are root, one without rights.
 *
 * @throws {DatabaseSetupError} when we are root, and there is none.
 */
export async function serverUser(): Promise<ServerUser> {
  if (Deno.uid() !== 0) return { prefix: [] };
  for (const name of CANDIDATES) {
    const uid = await idOf(name, "-u");
    const gid = await idOf(name, "-g");
    if (uid === undefined || gid === undefined) continue;
    const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
    return { prefix, owner: { uid, gid } };
  }
  throw new DatabaseSetupError(
    "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` here: " +
      "run this as another user than root",
  );
}

/**
 * Makes `directory` the server's alone.
 *
 * @throws {DatabaseSetupError} when the server's user cannot get there.
 */
export async function giveFolder(directory: string, { owner, prefix }: ServerUser): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  if (!owner) return;
  await Deno.chown(directory, owner.uid, owner.gid);
  const [program, ...args] = [...prefix, "test", "-w", directory];
  const result = await runProgram(program!, args, { timeoutMs: 5_000 });
  if (result?.success) return;
  throw new DatabaseSetupError(
    `The server's user may not enter ${directory}: let others pass through the folders above it ` +
      `(chmod o+x ${dirname(directory)} and up), or run this as another user than root`,
  );
}

async function idOf(name: string, flag: "-u" | "-g"): Promise<number | undefined> {
  const result = await runProgram("id", [flag, name], { timeoutMs: 5_000 });
  return result?.success ? Number(result.stdout.trim()) : undefined;
}
