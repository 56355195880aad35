/**
 * Users from CSV with a header row (RFC 4180, separated by `,`, `;` or a tab). A row that is broken
 * costs itself alone: also after a quote that is never closed, reading goes on at the next line.
 */
import { CsvError, parse } from "csv-parse/sync";
import { MAX_LINE_BYTES, type TextLine } from "@ecomarket/shared/process/text_lines";
import { SourceError, type UserRow, userRow } from "./user_row.ts";

/** How columns may be separated. Spreadsheets in Spanish write `;`. */
const DELIMITERS = [",", ";", "\t"];
/** Lines that are parsed in one call, for a call costs ten times what a line costs. */
const BATCH = 32;
/** Lines that one record may take. A quote that is still open then counts as never closed. */
export const MAX_RECORD_LINES = 100;

/** What the header row says of the rows below it. */
interface Header {
  readonly columns: readonly string[];
  readonly delimiter: string;
}

/**
 * Yields a row for each record. The header needs `nombre` and `email` (`name` does for `nombre`) and
 * may have `user_id` (or `id`), in any order; other columns are ignored, and so are blank lines.
 *
 * @throws {SourceError} when there is no header, or it lacks a column.
 */
export async function* readCsvUsers(
  lines: AsyncIterable<readonly TextLine[]>,
): AsyncGenerator<UserRow> {
  let header: Header | undefined;
  let waiting: TextLine[] = [];
  for await (const chunk of lines) {
    waiting = waiting.concat(chunk.filter(({ text, problem }) => problem ?? text.trim()));
    if (!header && waiting.length > 0) header = parseHeader(waiting.shift()!);
    if (header) waiting = yield* readRecords(waiting, header, false);
  }
  if (!header) throw new SourceError("The CSV is empty: its first row must name the columns");
  yield* readRecords(waiting, header, true);
}

function parseHeader({ line, text, problem }: TextLine): Header {
  if (problem !== undefined) throw new SourceError(`The header of the CSV ${problem}`);
  const headers = DELIMITERS.map((delimiter) => ({
    delimiter,
    columns: columnsOf(text, delimiter),
  }));
  const header = headers.find(({ columns }) =>
    columns.includes("email") && (columns.includes("nombre") || columns.includes("name"))
  );
  if (header) return header;
  const found = headers.reduce((a, b) => b.columns.length > a.columns.length ? b : a).columns;
  throw new SourceError(
    `The header of the CSV (line ${line}) must name the columns nombre and email, found: ${
      found.join(", ")
    }`,
  );
}

function columnsOf(text: string, delimiter: string): string[] {
  const { records } = parseRecords(text, delimiter);
  return (records?.[0] ?? [text]).map((column) => column.trim().toLowerCase());
}

/**
 * Yields the rows of `lines`, and returns the lines at their end whose record is not complete yet;
 * where `isLast`, there are none.
 */
function* readRecords(
  lines: TextLine[],
  header: Header,
  isLast: boolean,
): Generator<UserRow, TextLine[]> {
  let at = 0;
  while (at < lines.length) {
    const batch = lines.slice(at, at + BATCH);
    const rows = oneRowEach(batch, header);
    if (rows) {
      yield* rows;
      at += batch.length;
      continue;
    }
    const end = at + batch.length;
    while (at < end) {
      const record = firstRecord(lines, at, header, isLast);
      if (!record) return lines.slice(at);
      yield record.row;
      at += record.lineCount;
    }
  }
  return [];
}

/** The rows of `batch` when each line is one record, as almost always; otherwise `undefined`. */
function oneRowEach(batch: readonly TextLine[], header: Header): UserRow[] | undefined {
  if (batch.some(({ problem }) => problem !== undefined)) return undefined;
  const text = batch.map((line) => line.text).join("\n");
  const { records } = parseRecords(text, header.delimiter);
  if (records?.length !== batch.length) return undefined;
  return records.map((fields, i) => recordRow(fields, header, batch[i]!, batch[i]!));
}

/**
 * The record that begins at `lines[at]`, and how many lines it takes: more than one where a quoted
 * field holds line breaks. `undefined` when its end may be in lines that are still to come.
 */
function firstRecord(
  lines: readonly TextLine[],
  at: number,
  header: Header,
  isLast: boolean,
): { row: UserRow; lineCount: number } | undefined {
  const first = lines[at]!;
  const broken = (problem: string) => ({ row: { line: first.line, problem }, lineCount: 1 });
  if (first.problem !== undefined) return broken(first.problem);
  let text = "";
  for (const [i, next] of lines.slice(at).entries()) {
    const isTooLong = i === MAX_RECORD_LINES || text.length > MAX_LINE_BYTES;
    if (isTooLong || next.problem !== undefined) return broken(NEVER_CLOSED);
    text += i === 0 ? next.text : `\n${next.text}`;
    if (i > 0 && !next.text.includes('"')) continue;
    const { records, errorCode } = parseRecords(text, header.delimiter);
    if (records) return { row: recordRow(records[0]!, header, first, next), lineCount: i + 1 };
    if (errorCode !== "CSV_QUOTE_NOT_CLOSED") return broken(MISPLACED);
  }
  return isLast ? broken(NEVER_CLOSED) : undefined;
}

const NEVER_CLOSED = "has a quote that is never closed";
const MISPLACED = 'has a misplaced quote: a field with quotes in it is written "like ""this"""';

function recordRow(
  fields: readonly string[],
  { columns }: Header,
  { line }: TextLine,
  { line: lastLine }: TextLine,
): UserRow {
  const row = fields.length === columns.length
    ? userRow(line, Object.fromEntries(columns.map((column, i) => [column, fields[i]])))
    : { line, problem: `has ${fields.length} columns, the header has ${columns.length}` };
  if (line === lastLine || !("problem" in row)) return row;
  return { line, problem: `${row.problem} (ends on line ${lastLine})` };
}

/** Where `text` is broken, the code of csv-parse's first error in place of the records. */
function parseRecords(
  text: string,
  delimiter: string,
): { records?: string[][]; errorCode?: string } {
  try {
    return {
      records: parse(text, {
        delimiter,
        record_delimiter: "\n",
        relax_column_count: true,
        trim: true,
      }),
    };
  } catch (error) {
    if (error instanceof CsvError) return { errorCode: error.code };
    throw error;
  }
}
