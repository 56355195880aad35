/** What a document's figures need of its language. */
import type { CompareReport, TableName } from "./compare_report.ts";

/** One claim of the workshop, and what came of it. */
export interface ClaimVerdict {
  readonly claim: string;
  readonly measured: string;
  readonly verdict: string;
}

/** Figures in sentences and headings. */
export interface Language {
  /** A cell of the report that is no number, or a heading. */
  readonly cell: (text: string) => string;
  /** Where, when and with what the figures were made. */
  readonly origin: (report: CompareReport) => string;
  /** How each table is to be read. */
  readonly notes: (report: CompareReport) => Readonly<Record<TableName, string>>;
  /** The figures worth knowing by heart, a sentence each. */
  readonly summary: (report: CompareReport) => readonly string[];
  readonly claimHead: readonly [string, string, string];
  readonly claims: (report: CompareReport) => readonly ClaimVerdict[];
  /** What the model of costs says, by the names of its parts. */
  readonly roi: Readonly<Record<string, string>>;
}
