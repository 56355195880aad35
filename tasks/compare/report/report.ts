/** What a comparison prints: tables for the terminal, one object for programs, Markdown to be read. */
import { renderTable } from "@ecomarket/shared/process/table";
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import { machineText } from "../../report/circumstances.ts";
import { markdownTable } from "../../report/markdown_table.ts";
import type { Comparison } from "../result.ts";
import { SPECS, VARIANTS } from "../variants.ts";
import { charts } from "./charts.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { resultTables } from "./tables.ts";
import { claims, isOk } from "./verdict.ts";

/** What `--json` prints. */
export function jsonReport(comparison: Comparison): string {
  return JSON.stringify({ ok: isOk(comparison), ...comparison, claims: claims(comparison) });
}

/** The tables and the claims, for a terminal of 80 columns. */
export function textReport(comparison: Comparison): string {
  const figures = figuresOf(comparison);
  const tables = resultTables(figures).map(({ title, head, rows, note }, n) =>
    [`${n + 1}. ${title}`, renderTable(head, rows), ...wrapText(note, 78)].join("\n")
  );
  const verdict = figures.claims.flatMap(({ claim, measured, holds }) => [
    `${holds ? "✓" : "✗"} ${claim}:`,
    `  ${measured}`,
  ]);
  return [...tables, verdict.join("\n")].join("\n\n");
}

/** The report as Markdown, with the charts, for GitHub. */
export function markdownReport(figures: Figures): string {
  return [
    "# Events, measured against the ways before them",
    origin(figures),
    VARIANTS.map((name) => `- **${SPECS[name].title}**: ${SPECS[name].description}.`).join("\n"),
    "All four store the user durably before they answer, in SQLite with the same settings. The " +
    "broker, the API, the subscribers and the load share the one machine.",
    "## What came of the claims",
    figures.claims.map(({ claim, measured, holds }) =>
      `- ${holds ? "✓" : "✗"} ${claim}: ${measured}.`
    ).join("\n"),
    ...sections(figures),
    "## How far to trust it",
    limits(figures.loads),
  ].join("\n\n") + "\n";
}

function origin(figures: Figures): string {
  const { command, date, machine, versions, loadBefore, elapsedSeconds } = figures;
  return [
    `Made by \`${command}\` on ${date}, on ${machineText(machine)}`,
    `(load average before: ${loadBefore.toFixed(2)}), with RabbitMQ ${versions.rabbitmq} and`,
    `Deno ${versions.deno}, in ${elapsedSeconds} s.`,
  ].join(" ");
}

function sections(figures: Figures): string[] {
  const drawings = charts(figures);
  return resultTables(figures).map(({ name, title, head, rows, note }, n) => {
    const chart = drawings[name];
    return [
      `## ${n + 1}. ${title}`,
      markdownTable(head, rows),
      note,
      ...(chart ? ["```mermaid\n" + chart.source + "\n```", chart.caption] : []),
    ].join("\n\n");
  });
}

function limits({ latency, outages, growth }: Figures["loads"]): string {
  return [
    `The latencies rest on ${latency.signups} signups, those of the outages on`,
    `${outages.signups}, those with more subscribers on ${growth.signups}, for each of the`,
    "four: a p99 is the few slowest of them, and differs from run to run. Latency counts from the",
    "time at which a signup was meant to start, and so includes what the load generator is late, up",
    "to about a millisecond. Throughput depends on what else the machine does: here it makes the",
    "load as well.",
  ].join(" ");
}
