/** What a check finds, and how bad it is. */

/** `broken` loses or stops events now; `warning` may; a `note` is worth knowing, and no fault. */
export type Severity = "broken" | "warning" | "note";

/** One fault of one thing. */
export interface Finding {
  /** A stable word for programs, such as `queue-unconsumed`. */
  readonly id: string;
  readonly severity: Severity;
  /** What is so, and of which thing. */
  readonly finding: string;
  /** What it costs. */
  readonly why: string;
  /** What to run or change. */
  readonly mend: string;
}

/** The worst first. */
const ORDER: readonly Severity[] = ["broken", "warning", "note"];

/** `findings`, the worst first; those of one severity keep their order. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

/** What the command ends with: 2 where something is broken, 1 where something is worth a warning. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const severities = findings.map(({ severity }) => severity);
  return severities.includes("broken") ? 2 : severities.includes("warning") ? 1 : 0;
}
