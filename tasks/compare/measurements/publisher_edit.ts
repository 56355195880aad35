/** The edit that a new subscriber costs the publisher, and how big it is. */
import { diffLines } from "diff";

/**
 * `source` with `entries` at the end of its list of subscribers: the first array of texts at its top
 * level.
 *
 * @throws {Error} when there is no such list.
 */
export function withEntries(source: string, entries: readonly string[]): string {
  const lines = source.split("\n");
  const first = lines.findIndex((line) => /^const [A-Z_]+ = \[$/.test(line));
  const end = lines.indexOf("];", first);
  if (first < 0 || end < 0) throw new Error("The source has no list of subscribers");
  return lines.toSpliced(end, 0, ...entries.map((entry) => `  ${entry}`)).join("\n");
}

/** How many lines were added to or taken from `before` to get `after`. */
export function changedLines(before: string, after: string): number {
  return diffLines(before, after)
    .filter(({ added, removed }) => added || removed)
    .reduce((lines, { count }) => lines + count, 0);
}
