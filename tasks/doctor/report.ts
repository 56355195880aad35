/** What a person reads: the worst first, 80 columns, the verdict last. */
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import type { Finding } from "./finding.ts";

const WIDTH = 78;

/** The lines of the report of `checks` checks. */
export function reportLines(findings: readonly Finding[], checks: number): string[] {
  return [...findings.flatMap(findingLines), verdict(findings, checks)];
}

function findingLines({ id, severity, finding, why, mend }: Finding): string[] {
  return [
    ...wrapText(`${severity.toUpperCase()} ${id}`, WIDTH),
    ...indented("", `${finding}.`),
    ...indented("why:  ", why),
    ...indented("mend: ", mend),
    "",
  ];
}

function indented(label: string, text: string): string[] {
  return wrapText(text, WIDTH - 2 - label.length)
    .map((line, index) => `  ${index === 0 ? label : " ".repeat(label.length)}${line}`);
}

/** In one line: how many of what. Notes are no faults. */
export function verdict(findings: readonly Finding[], checks: number): string {
  const count = (wanted: Finding["severity"]) =>
    findings.filter(({ severity }) => severity === wanted).length;
  const [broken, warnings, notes] = [count("broken"), count("warning"), count("note")];
  const aside = notes === 0 ? "" : ` (${notes} note${notes === 1 ? "" : "s"})`;
  if (broken + warnings === 0) return `Nothing found wrong in ${checks} checks${aside}.`;
  return `${broken} broken, ${warnings} warning${
    warnings === 1 ? "" : "s"
  } in ${checks} checks${aside}.`;
}
