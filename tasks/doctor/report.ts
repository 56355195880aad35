/** What a person reads: the worst first, 80 columns, the verdict last. */
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import type { Finding } from "./finding.ts";

const WIDTH = 78;

/** How many findings of one kind are listed: the reason and the mend are what matters then. */
const LISTED = 5;

/** The lines of the report of `checks` checks. Findings of one kind stand together. */
export function reportLines(findings: readonly Finding[], checks: number): string[] {
  const kinds = Map.groupBy(findings, ({ id, severity }) => `${severity.toUpperCase()} ${id}`);
  return [...[...kinds].flatMap(kindLines), verdict(findings, checks)];
}

function kindLines([title, findings]: [string, Finding[]]): string[] {
  const more = findings.length - LISTED;
  return [
    ...wrapText(findings.length === 1 ? title : `${title} (${findings.length})`, WIDTH),
    ...findings.slice(0, LISTED).flatMap(({ finding }) => indented("", `${finding}.`)),
    ...(more > 0 ? indented("", `… and ${more} more: --json lists them all.`) : []),
    ...distinct(findings.map(({ why }) => why)).flatMap((why) => indented("why:  ", why)),
    ...distinct(findings.map(({ mend }) => mend)).slice(0, LISTED)
      .flatMap((mend) => indented("mend: ", mend)),
    "",
  ];
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
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
