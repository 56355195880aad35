/** The file that `--report` names, and the one beside it. */
import { messageOf, UsageError } from "@ecomarket/shared/base/errors";

/**
 * Makes sure, before minutes are spent on what it is for, that a report can be written to `path`.
 *
 * @throws {UsageError} when it cannot.
 */
export async function requireWritable(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await Deno.writeTextFile(path, "", { append: true });
  } catch (error) {
    throw new UsageError(`--report ${path} cannot be written: ${messageOf(error)}`);
  }
}

/** Where the figures of the report `path` are: `docs/compare.json` beside `docs/compare.md`. */
export function jsonBeside(path: string): string {
  return path.replace(/(\.md)?$/, ".json");
}
