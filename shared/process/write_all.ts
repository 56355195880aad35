/** Writing a text whole: one call may take only a part of it, where a pipe is nearly full. */

const encoder = new TextEncoder();

/** Writes all of `text` to `target`, such as `Deno.stderr`. */
export function writeAllSync(
  target: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}
