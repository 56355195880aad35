/** Tables for the terminal. */
import Table from "cli-table3";

/** `rows` under `head`, as lines. Numbers stand to the right. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const isNumber = head.map((_, column) =>
    rows.length > 0 && rows.every((row) => typeof row[column] === "number")
  );
  const table = new Table({
    head: [...head],
    colAligns: isNumber.map((numeric) => numeric ? "right" : "left"),
    // Colours are the terminal's business: a table may be piped to a file.
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
