/** Tables for the terminal. */
import Table from "cli-table3";
import { printable } from "./printable.ts";

/** A text in one line, a number, or the lines of one cell. */
export type Cell = string | number | readonly string[];

/** `rows` under `head`, as lines. Numbers stand to the right. What no terminal should obey is escaped. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
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
  table.push(...rows.map((row) => row.map(shown)));
  return table.toString();
}

/** n.b. only who makes the table breaks a line of it, never a text that came from somewhere. */
function shown(cell: Cell): string | number {
  if (typeof cell === "number") return cell;
  return typeof cell === "string" ? printable(cell) : cell.map(printable).join("\n");
}
