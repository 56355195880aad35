/** A file of rows, or the standard input, opened for reading. */
import { extname } from "node:path";
import { messageOf, UsageError } from "@ecomarket/shared/base/errors";
import { readLines, type TextLine } from "@ecomarket/shared/process/text_lines";
import { type Column, readCsv } from "./csv.ts";
import { readJsonl } from "./jsonl.ts";
import { type RowSource, SourceError, type SourceRow } from "./source_row.ts";

/** What the rows are expected to be. */
export interface Expected {
  /** What one of them is to a person, such as `user`. */
  readonly noun: string;
  /** The columns that a CSV must have. */
  readonly columns: readonly Column[];
}

type RowReader = (
  lines: AsyncIterable<readonly TextLine[]>,
  columns: readonly Column[],
) => AsyncGenerator<SourceRow>;

const READERS: Readonly<Record<string, RowReader>> = {
  ".csv": readCsv,
  ".jsonl": readJsonl,
  ".ndjson": readJsonl,
};

/** Bytes of a row, roughly: to tell a long file from a short one. */
const TYPICAL_ROW_BYTES = 80;

/** A file that is open, or the standard input: nothing of it is read yet. */
export interface OpenInput {
  /** What it is called to a person. */
  readonly name: string;
  readonly stream: ReadableStream<Uint8Array>;
  /** What it holds; absent where its first line tells. */
  readonly readRows?: RowReader;
  /** Its bytes, where that is known. */
  readonly size?: number;
}

/**
 * Opens `path`, a `.csv`, `.jsonl` or `.ndjson` file, or `-` for the standard input. Whoever has it open
 * needs no right to read files any more.
 *
 * @throws {UsageError} for another extension.
 * @throws {SourceError} when the file cannot be opened.
 */
export async function openInput(path: string): Promise<OpenInput> {
  if (path === "-") return { name: "the standard input", stream: Deno.stdin.readable };
  const readRows = READERS[extname(path).toLowerCase()];
  if (!readRows) {
    const known = Object.keys(READERS).join(", ");
    throw new UsageError(`--file must end with one of ${known}, or be - for stdin, got "${path}"`);
  }
  const file = await openFile(path);
  const { size } = await file.stat();
  return { name: path, stream: file.readable, readRows, size };
}

/**
 * The rows of `input`. The standard input is JSON Lines when it begins with `{`, else CSV. The first
 * rows are read at once, so that what is no such thing is told here. After an abort, reading rejects
 * with its reason.
 *
 * @throws {SourceError} when it cannot be read, is a CSV without the columns needed, or has no row.
 */
export async function readInput(
  { name, stream, readRows, size }: OpenInput,
  expected: Expected,
  signal: AbortSignal,
): Promise<RowSource> {
  const bytes = new CountedBytes(stream, name, signal);
  const { first, items } = await peek(readLines(bytes));
  const rows = (readRows ?? readerFor(first ?? []))(items, expected.columns);
  const source = { rows: await notEmpty(rows, name, expected), place };
  if (size === undefined) return source;
  const extent = { size, position: () => bytes.count, rows: size / TYPICAL_ROW_BYTES };
  return { ...source, extent };
}

function readerFor(lines: readonly TextLine[]): RowReader {
  const first = lines.find(({ text }) => text.trim() !== "");
  return first?.text.trimStart().startsWith("{") ? readJsonl : readCsv;
}

function place(line: number): string {
  return `line ${line}`;
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    if ((await Deno.stat(path)).isDirectory) throw new Error("it is a directory");
    return await Deno.open(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function cannotRead(name: string, error: unknown): SourceError {
  const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
  return new SourceError(`Cannot read ${name}: ${reason}`, { cause: error });
}

/** The bytes of a stream, counted as they are read, until the stream ends or `signal` aborts. */
class CountedBytes {
  count = 0;
  readonly #stream: ReadableStream<Uint8Array>;
  readonly #name: string;
  readonly #signal: AbortSignal;

  constructor(stream: ReadableStream<Uint8Array>, name: string, signal: AbortSignal) {
    this.#stream = stream;
    this.#name = name;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const reader = this.#stream.getReader();
    const cancel = () => void reader.cancel().catch(() => {});
    this.#signal.addEventListener("abort", cancel, { once: true });
    try {
      while (true) {
        this.#signal.throwIfAborted();
        const { done, value } = await reader.read().catch((error) => {
          throw cannotRead(this.#name, error);
        });
        // n.b. an abort ends the stream too, perhaps within a line, which must not pass for a whole one.
        this.#signal.throwIfAborted();
        if (done) return;
        this.count += value.length;
        yield value;
      }
    } finally {
      this.#signal.removeEventListener("abort", cancel);
      cancel();
    }
  }
}

async function notEmpty(
  rows: AsyncGenerator<SourceRow>,
  name: string,
  { noun }: Expected,
): Promise<AsyncGenerator<SourceRow>> {
  const { first, items } = await peek(rows);
  if (first) return items;
  throw new SourceError(`There is no ${noun} in ${name}`);
}

/** Awaits the first of `items`, and gives it back along with all of them. */
async function peek<T>(
  items: AsyncGenerator<T>,
): Promise<{ first: T | undefined; items: AsyncGenerator<T> }> {
  const { done, value } = await items.next();
  if (done) return { first: undefined, items };
  return {
    first: value,
    items: (async function* () {
      yield value;
      yield* items;
    })(),
  };
}
