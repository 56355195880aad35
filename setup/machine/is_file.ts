/** Whether a program that was looked for is there. */

/**
 * Whether `path` is a file, or leads to one.
 *
 * @throws {Deno.errors.NotCapable} where the sandbox forbids looking: that is not a machine without it.
 */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}
