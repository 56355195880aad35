/** The lock of a folder: one process holds it at a time. */
import { join } from "node:path";

/**
 * Takes the lock of `directory`, which must exist, until it is disposed of; `undefined` while another
 * process has it. The operating system frees the lock of a process that dies, in whatever way.
 *
 * n.b. it is the file's lock (`flock`), not the file, that counts: the file stays.
 */
export function tryLockFolder(directory: string): Disposable | undefined {
  const file = Deno.openSync(join(directory, "lock"), { write: true, create: true, mode: 0o600 });
  try {
    if (file.tryLockSync(true)) return file;
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return undefined;
}
