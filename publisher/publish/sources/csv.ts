/**
 * Rows from CSV with a header row (RFC 4180, separated by `,`, `;` or a tab). A row that is broken
 * costs itself alone: also after a quote that is never closed, reading goes on at the next line.
 */
import { CsvError, parse } from "csv-parse/sync";
import { MAX_LINE_BYTES, type TextLine } from "@ecomarket/shared/process/text_lines";
import { shortened } from "@ecomarket/shared/process/printable";
import { inWords } from "./in_words.ts";
import { SourceError, type SourceRow, withEnd } from "./source_row.ts";

/** How columns may be separated. Spreadsheets in Spanish write `;`. */
const DELIMITERS = [",", ";", "\t"];
/** Lines that are parsed in one call, for a call costs ten times what a line costs. */
const BATCH = 32;
/** Lines that one record may take. A quote that is still open then counts as never closed. */
export const MAX_RECORD_LINES = 100;

/** Columns that a header may name. */
export const MAX_COLUMNS = 1_000;
/** Characters of a header that are quoted. */
const MAX_QUOTED = 500;

/** What the header row says of the rows below it. */
interface Header {
  readonly columns: readonly string[];
  readonly delimiter: string;
}

/** A column that a header must have, under one of these names. The first is the one to tell people. */
export type Column = readonly [name: string, ...aliases: string[]];

/**
 * Yields a row for each record, its fields named by the header. The header needs `columns`, in any
 * order and in any case, and may have others. Blank lines are ignored.
 *
 * @throws {SourceError} when there is no header, or it lacks a column.
 */
export async function* readCsv(
  lines: AsyncIterable<readonly TextLine[]>,
  columns: readonly Column[],
): AsyncGenerator<SourceRow> {
  let header: Header | undefined;
  let waiting: TextLine[] = [];
  for await (const chunk of lines) {
    waiting = waiting.concat(chunk.filter(({ text, problem }) => problem ?? text.trim()));
    if (!header && waiting.length > 0) {
      header = parseHeader(waiting.shift()!, columns);
    }
    if (header) waiting = yield* readRecords(waiting, header, false);
  }
  if (!header) throw new SourceError("The CSV is empty: its first row must name the columns");
  yield* readRecords(waiting, header, true);
}

function parseHeader({ line, text, problem }: TextLine, needed: readonly Column[]): Header {
  if (problem !== undefined) throw new SourceError(`The header of the CSV ${problem}`);
  const headers = DELIMITERS
    .map((delimiter) => ({ delimiter, columns: columnsOf(text, delimiter) }))
    .sort((a, b) => b.columns.length - a.columns.length);
  const { columns: found } = headers[0]!;
  if (found.length > MAX_COLUMNS) {
    throw new SourceError(
      `The header of the CSV (line ${line}) names ${found.length} columns, more than ${MAX_COLUMNS}`,
    );
  }
  const header = headers.find(({ columns }) =>
    needed.every((names) => names.some((name) => columns.includes(name)))
  );
  if (header) return header;
  const names = needed.map(([name]) => name);
  throw new SourceError(
    `The header of the CSV (line ${line}) must name the columns ${inWords(names)}, found: ${
      shortened(found.join(", "), MAX_QUOTED)
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
): Generator<SourceRow, TextLine[]> {
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
function oneRowEach(batch: readonly TextLine[], header: Header): SourceRow[] | undefined {
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
): { row: SourceRow; lineCount: number } | undefined {
  const first = lines[at]!;
  const broken = (problem: string) => ({ row: { line: first.line, problem }, lineCount: 1 });
  if (first.problem !== undefined) return broken(first.problem);
  let text = "";
  let quotes = 0;
  for (const [i, next] of lines.slice(at, at + MAX_RECORD_LINES + 1).entries()) {
    const isTooLong = i === MAX_RECORD_LINES || text.length > MAX_LINE_BYTES;
    if (isTooLong || next.problem !== undefined) return broken(NEVER_CLOSED);
    text += i === 0 ? next.text : `\n${next.text}`;
    quotes += countQuotes(next.text);
    // n.b. while their number is odd, one is open: parsing again at each line would cost the square.
    if (i > 0 && (quotes % 2 === 1 || !next.text.includes('"'))) continue;
    const { records, errorCode } = parseRecords(text, header.delimiter);
    if (records) return { row: recordRow(records[0]!, header, first, next), lineCount: i + 1 };
    if (errorCode !== "CSV_QUOTE_NOT_CLOSED") return broken(MISPLACED);
  }
  return isLast ? broken(NEVER_CLOSED) : undefined;
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = -1; (at = text.indexOf('"', at + 1)) >= 0;) count++;
  return count;
}

const NEVER_CLOSED = "has a quote that is never closed";
const MISPLACED = 'has a misplaced quote: a field with quotes in it is written "like ""this"""';

function recordRow(
  fields: readonly string[],
  { columns }: Header,
  { line }: TextLine,
  { line: lastLine }: TextLine,
): SourceRow {
  const end = line === lastLine ? {} : { lastLine };
  if (fields.length === columns.length) {
    const named = columns.map((column, i) => [column, fields[i]] as const);
    return { line, ...end, fields: Object.fromEntries(named) };
  }
  const problem = `has ${fields.length} columns, the header has ${columns.length}`;
  return { line, problem: withEnd(problem, end) };
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
