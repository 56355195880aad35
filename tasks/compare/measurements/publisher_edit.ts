/** The edit that a new subscriber costs the publisher, and how big it is. */

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
  const a = before.split("\n");
  const b = after.split("\n");
  return a.length + b.length - 2 * commonLines(a, b);
}

/** The length of the longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    for (const [n, other] of b.entries()) {
      next.push(line === other ? row[n]! + 1 : Math.max(row[n + 1]!, next[n]!));
    }
    row = next;
  }
  return row.at(-1)!;
}
