/** Files that a few lines are enough for, read whole within a limit: what else stands there is no such file. */

/** A bundle of all the world's CAs has a quarter of it. */
export const MAX_SMALL_FILE_BYTES = 1024 * 1024;

/**
 * The text of the file at `path`.
 *
 * @throws {Error} when it is longer than {@link MAX_SMALL_FILE_BYTES}, of which no more is read; also
 *   where it never ends.
 * @throws what the system or the sandbox says against it.
 */
export function readSmallFileSync(path: string): string {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(MAX_SMALL_FILE_BYTES + 1);
  let length = 0;
  for (let read; (read = file.readSync(bytes.subarray(length))); length += read);
  if (length <= MAX_SMALL_FILE_BYTES) return new TextDecoder().decode(bytes.subarray(0, length));
  throw new Error(`it is longer than ${MAX_SMALL_FILE_BYTES} bytes`);
}
