/** The documents that quote figures, and where the figures come from. */
import { messageOf } from "@ecomarket/shared/base/errors";
import { money } from "../roi/claims.ts";
import { WORKSHOP } from "../roi/model.ts";
import { jsonReport } from "../roi/report.ts";
import { DocumentError, fillFigures, type Format } from "./fill_figures.ts";

/** What `deno task compare --report docs/compare.md` has written, from the project's root. */
export const COMPARE_FIGURES = "docs/compare.json";

/** One document. */
export interface FiguresDocument {
  /** From the project's root. */
  readonly path: string;
  readonly yes: string;
  readonly no: string;
}

/** All of them. */
export const DOCUMENTS: readonly FiguresDocument[] = [
  { path: "docs/Taller4_Justificacion.md", yes: "sí", no: "no" },
  { path: "docs/Taller4_Justification.en.md", yes: "yes", no: "no" },
];

/**
 * Figures by their names: `compare.…` out of `compareJson`, and `roi.…` for the workshop's inputs.
 *
 * @throws {DocumentError} `compareJson` is no JSON.
 */
export function figuresByName(compareJson: string): object {
  const { workshop: roi } = JSON.parse(jsonReport(WORKSHOP));
  try {
    return { compare: JSON.parse(compareJson), roi };
  } catch (error) {
    throw new DocumentError(
      `${COMPARE_FIGURES} cannot be read (${messageOf(error)}): get it back from Git`,
      { cause: error },
    );
  }
}

/**
 * `markdown` with the figures of `compareJson` and of `deno task roi`, as those commands write them.
 *
 * @throws {DocumentError} `markdown` cannot be filled; the message begins with the document's path.
 */
export function fillDocument(
  { path, yes, no }: FiguresDocument,
  markdown: string,
  compareJson: string,
): string {
  const format: Format = (figure, name) => {
    if (typeof figure === "boolean") return figure ? yes : no;
    return typeof figure === "number" && name.startsWith("roi.") ? money(figure) : String(figure);
  };
  const figures = figuresByName(compareJson);
  try {
    return fillFigures(markdown, figures, format);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    throw new DocumentError(`${path} cannot be filled:\n${error.message}`, { cause: error });
  }
}
