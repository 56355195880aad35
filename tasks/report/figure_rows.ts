/** The figures of a report as the rows of a table: the same rows wherever the table is written. */

/** One cell. */
export type Figure = string | number | boolean;

/**
 * One row for each innermost record of `figures`, in the order in which they are written there:
 * `{ a: { x: 1, y: [2, 3] }, b: { x: 4, y: [5, 6] } }` is `[[1, 2, 3], [4, 5, 6]]`.
 */
export function figureRows(figures: object): Figure[][] {
  const values = Object.values(figures);
  return values.every((value) => isRecord(value))
    ? values.flatMap((value) => figureRows(value))
    : [values.flat()];
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
