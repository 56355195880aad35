/** A stream of bytes as numbered lines of text, in constant memory whatever the bytes are. */
import { MAX_BODY_BYTES } from "../contract/message.ts";

/** A longer line is not kept: no event can be that big. */
export const MAX_LINE_BYTES = MAX_BODY_BYTES;

/** One line, without its line break. With a `problem`, its `text` is not to be trusted. */
export interface TextLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly problem?: string;
}

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = new Uint8Array();

/**
 * Yields the lines of `chunks`, those of one chunk at a time. Lines end with LF or CRLF, the last one
 * also with the stream; a byte order mark is dropped. A line over {@link MAX_LINE_BYTES} or of
 * invalid UTF-8 is yielded with a `problem`.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine[]> {
  let unfinished: Uint8Array = NOTHING;
  let line = 1;
  for await (const chunk of chunks) {
    const lines: TextLine[] = [];
    let start = 0;
    for (let end; (end = chunk.indexOf(LF, start)) >= 0; start = end + 1) {
      lines.push(textLine(line++, joinLine(unfinished, chunk.subarray(start, end))));
      unfinished = NOTHING;
    }
    unfinished = joinLine(unfinished, chunk.slice(start));
    yield lines;
  }
  if (unfinished.length > 0) yield [textLine(line, unfinished)];
}

/** `head` and `tail`, cut where the line is too long already: the rest of it is not kept. */
function joinLine(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length > MAX_LINE_BYTES || tail.length === 0) return head;
  if (head.length === 0) return tail;
  const kept = tail.subarray(0, MAX_LINE_BYTES);
  const joined = new Uint8Array(head.length + kept.length);
  joined.set(head);
  joined.set(kept, head.length);
  return joined;
}

const strict = new TextDecoder("utf-8", { fatal: true });

function textLine(line: number, bytes: Uint8Array): TextLine {
  if (bytes.length > MAX_LINE_BYTES) {
    return { line, text: "", problem: `is longer than ${MAX_LINE_BYTES} bytes` };
  }
  try {
    return { line, text: strict.decode(bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes) };
  } catch {
    return { line, text: "", problem: "is not valid UTF-8: save the file as UTF-8" };
  }
}
