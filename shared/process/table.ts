/** Tables for the terminal. */
import Table from "cli-table3";
import { printable } from "./printable.ts";

/** `rows` under `head`, as lines. Numbers stand to the right. What no terminal should obey is escaped. */
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
  table.push(
    ...rows.map((row) => row.map((cell) => typeof cell === "string" ? printable(cell) : cell)),
  );
  return table.toString();
}
