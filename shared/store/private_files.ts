/**
 * Files that only the user who runs a role may read: the stores hold names and email addresses. Each
 * is made with its mode, so that there is no moment at which others could open it; what an older
 * version left open is closed.
 *
 * n.b. SQLite gives `-wal` and `-shm` the mode of the file that they belong to
 * (`findCreateFileMode()` and `unixOpenSharedMemory()` in its `os_unix.c`).
 */
import { messageOf } from "../base/errors.ts";
import { roleLogger } from "../process/log.ts";
import { HAS_FILE_MODES } from "../process/platform.ts";

/** Read, write and enter: the owner alone. */
const FOLDER_MODE = 0o700;
/** Read and write: the owner alone. */
const FILE_MODE = 0o600;
/** What the group and everybody else may do. */
const OTHERS = 0o077;

/** Makes `directory`, and those above it that are missing, for their owner alone. */
export function makePrivateFolder(directory: string): void {
  // n.b. the mode is that of every folder that this makes; one that is there keeps its own.
  Deno.mkdirSync(directory, { recursive: true, mode: FOLDER_MODE });
  closeToOthers(directory);
}

/**
 * Makes `path`, empty, for its owner alone, where it is missing.
 *
 * n.b. a file that is there is not even opened: closing it again would take all of this process's
 * locks off it, also those of a database that is open (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
export function makePrivateFile(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: FILE_MODE }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    closeToOthers(path);
  }
}

/**
 * Takes from others whatever they may do with `path`, where it exists. The owner's own rights stay as
 * they are. Where that cannot be changed (it belongs to another user, its file system knows no modes
 * or is read-only), it stays open, and the log says so: a store on such a disk is better than none.
 */
export function closeToOthers(path: string): void {
  if (!HAS_FILE_MODES) return;
  try {
    const { mode } = Deno.statSync(path);
    if (mode !== null && (mode & OTHERS) !== 0) Deno.chmodSync(path, mode & 0o700);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotCapable) throw error;
    roleLogger("store").warning("Others may read {path}, and that cannot be changed: {reason}", {
      path,
      reason: messageOf(error),
    });
  }
}
