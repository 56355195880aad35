/** What every source of rows yields, whatever it reads: the fields of a row, or why there are none. */
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import type { Body } from "@ecomarket/shared/contract/message";

/** One row of a source. `line` is where it begins, from 1; for what was read from no file, its number. */
export type SourceRow = FilledRow | RejectedRow;

/** A row whose fields nobody has looked at. */
export interface FilledRow {
  readonly line: number;
  /** Where it ends, if that is another line. */
  readonly lastLine?: number;
  readonly fields: Body;
}

/** A row that cannot be published, and why. */
export interface RejectedRow {
  readonly line: number;
  readonly problem: string;
}

/** Rows, wherever they come from. */
export interface RowSource {
  readonly rows: AsyncIterable<SourceRow>;
  /** Names the place of a row for a person, such as `line 12`. */
  readonly place: (line: number) => string;
  /** How much there is; absent where nobody knows before the end. */
  readonly extent?: Extent;
}

/** How much there is to read, in any unit. */
export interface Extent {
  readonly size: number;
  /** How much of `size` was read. */
  readonly position: () => number;
  /** How many rows that is, roughly. */
  readonly rows: number;
}

/** A file of rows is missing, unreadable, or not what it should be. */
export class SourceError extends EcoMarketError {
  override readonly code = "SOURCE_FILE";
  override readonly exitCode = 2;
}

/** `problem` of a row that ends on another line than it begins, as a person finds it. */
export function withEnd(problem: string, { lastLine }: Pick<FilledRow, "lastLine">): string {
  return lastLine === undefined ? problem : `${problem} (ends on line ${lastLine})`;
}
