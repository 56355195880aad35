/** The documents with figures, and what their figures are. */
import { markdownTable } from "../report/markdown_table.ts";
import { type CompareReport, TABLES } from "./compare_report.ts";
import { ENGLISH } from "./english.ts";
import type { Language } from "./language.ts";
import { SPANISH } from "./spanish.ts";

/** Where the figures come from, from the project's root. */
export const COMPARE_REPORT = "docs/compare.md";

/** One document. */
export interface FiguresDocument {
  /** From the project's root. */
  readonly path: string;
  readonly language: Language;
}

/** All of them. */
export const DOCUMENTS: readonly FiguresDocument[] = [
  { path: "docs/Taller4_Justificacion.md", language: SPANISH },
  { path: "docs/Taller4_Justification.en.md", language: ENGLISH },
];

/** What each part with figures holds, by its name. */
export function figures(report: CompareReport, language: Language): Record<string, string> {
  const notes = language.notes(report);
  const bodies: Record<string, string> = {
    origin: language.origin(report),
    summary: language.summary(report).map((sentence) => `- ${sentence}`).join("\n"),
    claims: markdownTable(
      language.claimHead,
      language.claims(report).map(({ claim, measured, verdict }) => [claim, measured, verdict]),
    ),
    ...language.roi,
  };
  for (const name of TABLES) {
    const { head, rows } = report.tables[name];
    const table = markdownTable(
      head.map(language.cell),
      rows.map((row) => row.map((text) => isNumber(text) ? text : language.cell(text))),
    );
    bodies[name] = `${table}\n\n${notes[name]}`;
  }
  return bodies;
}

function isNumber(text: string): boolean {
  return text !== "" && !Number.isNaN(Number(text));
}
