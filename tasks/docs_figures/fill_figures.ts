/**
 * The marked figures of a Markdown document. A marker is a comment, which nobody sees who reads the
 * page. It stands behind what it marks: a line that began with it would be a block of HTML.
 *
 * | marker                      | what it marks                                                      |
 * | --------------------------- | ------------------------------------------------------------------ |
 * | `9<!-- compare.x.y -->`     | the figure before it: a number, a word, or a `code span`           |
 * | `so.<!-- holds: roi.x -->`  | a conclusion that may stand only while the figure is true          |
 * | `no.<!-- fails: roi.x -->`  | a conclusion that may stand only while the figure is false         |
 * | `<!-- table: compare.x -->` | `figureRows()`, in the columns of the table below that have a head |
 * | `<!-- text: roi.x -->`      | the block of text below                                            |
 */
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { type Figure, figureRows } from "../report/figure_rows.ts";

/** A document cannot be filled; a line of the message for each marker that stands in the way. */
export class DocumentError extends EcoMarketError {
  override readonly code = "DOCUMENT_INVALID";
}

/** How a figure is written where `name` is its marker's. */
export type Format = (figure: Figure, name: string) => string;

const ROWS = /(?<=^<!-- table: (\S+) -->\n\n\|(.*)\|\n\|[-:| ]+\n)(?:\|.*\n)+/gm;
const TEXT = /(?<=^<!-- text: (\S+) -->\n\n```text\n)[^]*?(?=\n```$)/gm;
const WORD = "`[^`\\n]+`|-?[\\p{L}\\p{N}](?:[\\p{L}\\p{N}._,-]*[\\p{L}\\p{N}])?";
const ONE_WORD = new RegExp(`^(?:${WORD})$`, "u");
const MARKER = new RegExp(`(${WORD})?<!-- (?!deno-fmt-)(?:(\\w+): )?(.*?) -->`, "gu");

/**
 * `markdown` with each marked figure as `figures` has it; everything else stays.
 *
 * @throws {DocumentError} A marker is none of these, or names no such figure, or a conclusion is no
 * longer so.
 */
export function fillFigures(markdown: string, figures: object, format: Format): string {
  const problems: string[] = [];
  const attempt = (name: string, unchanged: string, fill: (value: unknown) => string) => {
    try {
      return fill(figureAt(figures, name));
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      problems.push(`${name} ${error.message}`);
      return unchanged;
    }
  };
  const blocks: string[] = [];
  const filled = markdown
    .replace(ROWS, (rows, name, head: string) => {
      blocks.push(`table ${name}`);
      return attempt(
        name,
        rows,
        (value) => filledRows(rows, head.split("|"), value, (figure) => format(figure, name)),
      );
    })
    .replace(TEXT, (text, name) => {
      blocks.push(`text ${name}`);
      return attempt(name, text, textOf);
    })
    .replace(
      MARKER,
      (whole, word: string | undefined, kind: string | undefined, name) =>
        attempt(name, whole, (value) => {
          switch (kind) {
            case undefined:
              return filledWord(word, value, (figure) => format(figure, name)) +
                whole.slice(word!.length);
            case "holds":
            case "fails":
              requireVerdict(value, kind === "holds");
              return whole;
            case "table":
            case "text":
              if (blocks.includes(`${kind} ${name}`)) return whole;
              throw new DocumentError(`has no ${kind} below its marker`);
            default:
              throw new DocumentError(`is marked as "${kind}": use holds, fails, table or text`);
          }
        }),
    );
  if (problems.length > 0) throw new DocumentError(problems.join("\n"));
  return filled;
}

/** What `figures` has under `name`, such as `compare.latency.events.p50`; `undefined` for nothing. */
function figureAt(figures: object, name: string): unknown {
  return name.split(".").reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    figures,
  );
}

function filledWord(
  word: string | undefined,
  value: unknown,
  format: (figure: Figure) => string,
): string {
  if (typeof value !== "number" && typeof value !== "string") {
    throw new DocumentError("is no figure");
  }
  if (word === undefined) throw new DocumentError("has no figure before its marker");
  const text = word.startsWith("`") ? `\`${value}\`` : format(value);
  if (!ONE_WORD.test(text)) throw new DocumentError(`is "${text}", which is not one word`);
  return text;
}

function filledRows(
  rows: string,
  heads: readonly string[],
  value: unknown,
  format: (figure: Figure) => string,
): string {
  if (typeof value !== "object" || value === null) throw new DocumentError("is no table");
  const lines = rows.trimEnd().split("\n");
  const figures = figureRows(value);
  if (figures.length !== lines.length) {
    throw new DocumentError(`has ${figures.length} rows, the table ${lines.length}`);
  }
  const labels = heads.filter((head) => head.trim() === "").length;
  return lines.map((line, n) => {
    const cells = figures[n]!.map(format);
    if (labels + cells.length !== heads.length) {
      throw new DocumentError(`has ${cells.length} columns, the table ${heads.length - labels}`);
    }
    const kept = line.split("|").slice(1, 1 + labels).map((label) => label.trim());
    return `| ${[...kept, ...cells].join(" | ")} |\n`;
  }).join("");
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new DocumentError("is no text");
  return value;
}

function requireVerdict(value: unknown, expected: boolean): void {
  if (typeof value !== "boolean") throw new DocumentError("is no verdict");
  if (value !== expected) {
    throw new DocumentError(`is ${value}: write what stands before its marker anew`);
  }
}
