/** What a comparison prints: tables for the terminal, one object for programs, Markdown to be read. */
import { renderTable } from "@ecomarket/shared/table";
import { wrapText } from "@ecomarket/shared/wrap_text";
import { markdownTable } from "../markdown_table.ts";
import { charts } from "./charts.ts";
import { type Comparison, OUTAGES } from "./result.ts";
import { resultTables } from "./tables.ts";
import { SPECS, VARIANTS } from "./variants.ts";
import { claims, isOk } from "./verdict.ts";

/** What `--json` prints. */
export function jsonReport(comparison: Comparison): string {
  return JSON.stringify({ ok: isOk(comparison), ...comparison, claims: claims(comparison) });
}

/** The tables and the claims, for a terminal of 80 columns. */
export function textReport(comparison: Comparison): string {
  const tables = resultTables(comparison).map(({ title, head, rows, note }, n) =>
    [`${n + 1}. ${title}`, renderTable(head, rows), ...wrapText(note, 78)].join("\n")
  );
  const verdict = claims(comparison).flatMap(({ claim, measured, holds }) => [
    `${holds ? "✓" : "✗"} ${claim}:`,
    `  ${measured}`,
  ]);
  return [...tables, verdict.join("\n")].join("\n\n");
}

/** The report as Markdown, with the charts, for GitHub. */
export function markdownReport(comparison: Comparison): string {
  const { command, date, machine, versions, plan, loadBefore, elapsedMs } = comparison;
  const drawn = Object.values(charts(comparison));
  const sections = resultTables(comparison).map(({ title, head, rows, note }, n) => {
    const chart = drawn[n];
    return [
      `## ${n + 1}. ${title}`,
      markdownTable(head, rows),
      note,
      ...(chart ? ["```mermaid\n" + chart.source + "\n```", chart.caption] : []),
    ].join("\n\n");
  });
  const four = VARIANTS.map((name) => `- **${SPECS[name].title}**: ${SPECS[name].description}.`);
  const verdict = claims(comparison).map(({ claim, measured, holds }) =>
    `- ${holds ? "✓" : "✗"} ${claim}: ${measured}.`
  );
  return [
    "# Events, measured against the ways before them",
    `Made by \`${command}\` on ${date.toISOString().slice(0, 10)}, on ${machine} ` +
    `(load average before: ${loadBefore.toFixed(2)}), with RabbitMQ ${versions.rabbitmq} and ` +
    `Deno ${versions.deno}, in ${Math.round(elapsedMs / 1000)} s.`,
    four.join("\n"),
    "All four store the user durably before they answer, in SQLite with the same settings. The " +
    "broker, the API, the subscribers and the load share the one machine.",
    "## What came of the claims",
    verdict.join("\n"),
    ...sections,
    "## How far to trust it",
    `Each latency rests on ${plan.ratePerSecond * plan.latencySeconds} signups, those of the ` +
    `outages and of more subscribers on ${
      outageSignups(comparison)
    }: a p99 is the few slowest of ` +
    "them, and differs from run to run. Latency counts from the time at which a signup was meant " +
    "to start, and so includes what the load generator is late, up to about a millisecond.",
  ].join("\n\n") + "\n";
}

function outageSignups({ outages }: Comparison): number {
  return outages[OUTAGES[0]].events.signups;
}
