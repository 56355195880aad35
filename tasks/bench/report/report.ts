/** What a run prints: tables for the terminal, one object for programs, Markdown to be read. */
import { renderTable } from "@ecomarket/shared/process/table";
import { machineText } from "../../report/circumstances.ts";
import { markdownTable } from "../../report/markdown_table.ts";
import { COMMIT_BEFORE } from "../measurements/older_source.ts";
import { number } from "./chart.ts";
import type { Figures, Table } from "./figures.ts";
import { boundText, type Outcome, outcomes } from "./targets.ts";

/** What `--json` prints. */
export function jsonReport(figures: Figures): string {
  const targets = outcomes(figures).map(({ key, bound, is, measured, isMet }) => ({
    key,
    bound,
    is,
    measured,
    isMet,
  }));
  return JSON.stringify({ ...figures, targets });
}

/** The tables and the targets, for a terminal. */
export function textReport(figures: Figures): string {
  const tables = figures.tables.map((table) =>
    [`${table.name} (${table.unit})`, renderTable(HEAD, rowsOf(table))].join("\n")
  );
  const targets = outcomes(figures).filter(({ measured }) => measured !== undefined)
    .map((outcome) =>
      `${mark(outcome)} ${outcome.key} ${outcome.measured} (${boundText(outcome)})`
    );
  return [...tables, targets.join("\n")].join("\n\n");
}

/** The report as Markdown, for GitHub. `chartFile` is beside it. */
export function markdownReport(figures: Figures, chartFile: string): string {
  const found = outcomes(figures);
  return [
    "# How fast it is, and what bounds it",
    origin(figures),
    "Each contestant has its turn after the other (A B A B …), on the same broker, with the same " +
    "queues and the same events of about 200 bytes. The figures are medians, with the least and the " +
    "most of all turns. The broker, the clients and the disk share the one machine: read the " +
    "**ratios**, each of which is the median of the ratios of the turns that stood side by side.",
    `![Events a second, ours and the others'](${chartFile})`,
    "## What was aimed at",
    markdownTable(
      ["", "figure", "key", "target", "measured"],
      found.map((outcome) => [
        mark(outcome),
        outcome.what,
        `\`${outcome.key}\``,
        boundText(outcome),
        outcome.measured ?? "not measured",
      ]),
    ),
    ...missed(found),
    "## The tables",
    ...figures.tables.map((table) =>
      [`### ${table.name}`, markdownTable(HEAD_OF(table), rowsOf(table))].join("\n\n")
    ),
    otherFigures(figures),
    HOW_IT_IS_MADE,
    WHAT_A_GUARANTEE_COSTS,
  ].join("\n\n") + "\n";
}

const HEAD = ["what", "median", "least", "most"];
const HEAD_OF = ({ unit }: Table) => ["what", `median, ${unit}`, "least", "most"];

function rowsOf({ rows }: Table): string[][] {
  return rows.map((
    { what, spread: { median, min, max } },
  ) => [what, ...[median, min, max].map(number)]);
}

function mark({ isMet }: Outcome): string {
  return isMet === undefined ? "–" : isMet ? "✓" : "✗";
}

function missed(found: readonly Outcome[]): string[] {
  const reasons = found.filter(({ isMet }) => isMet === false)
    .map(({ key, measured, reason }) => `- \`${key}\`, ${measured}: ${reason}`);
  return reasons.length === 0
    ? []
    : ["What was missed, and what the profile says of it:", reasons.join("\n")];
}

function origin(
  { command, date, machine, versions, runs, loadBefore, elapsedSeconds }: Figures,
): string {
  return [
    `Made by \`${command}\` on ${date}, on ${machineText(machine)}`,
    `(load average before: ${loadBefore.toFixed(2)}), with RabbitMQ ${versions.rabbitmq} and`,
    `Deno ${versions.deno}, ${runs} turns each, in ${elapsedSeconds} s.`,
  ].join(" ");
}

function otherFigures({ figures, ratios }: Figures): string {
  const rows = [...Object.entries(figures), ...Object.entries(ratios)];
  return ["### All keyed figures", markdownTable(["key", "value"], rows)].join("\n\n");
}

const HOW_IT_IS_MADE = `## How each figure is made, and what bounds it

- **Confirmed publishing**: so many events under way at once, into three quorum queues, persistent and
  mandatory; a figure counts confirms. With one under way the round trip and the broker's fsync bound
  everybody; from 256 on, the broker. \`amqplib by hand\` mends no lost link; the others do, so one of
  them is the best peer. Theirs is nobody's deadline, and a returned event is nobody's answer.
- **Consuming, acks alone**: what waits in one quorum queue, prefetch 100 for everybody. The broker and
  the round trip of a window bound it.
- **Effects exactly once**: the same rows in the same tables, with the same settings of SQLite (WAL,
  \`synchronous=FULL\`). A transaction for each event is bounded by the disk's fsync, groups by the
  statements.
- **Whole processes**: \`deno task publish --count\` and the three consumers, with their logs as they
  are by default, from the start of the publisher to the last effect. Before the tuning is commit
  ${COMMIT_BEFORE}, out of this clone's history, with the publisher and consumers of that time. The
  cores bound it.
- **Latency**: an open load; each event counts from when it was to be sent to its commit at the last of
  three subscribers, in processes that note the time of each commit. By hand: a transaction and a log
  line for each event. At rates that one fsync for each event cannot keep up with, the latter's queue
  grows.
- **The users API**: 32 clients that ask again at once; without its outbox it is the same routes and the
  same table, and nobody is told.
- **A consumer's cost**: \`consumers/analytics.ts\` as its task starts it, looked at by \`ps\`: what is
  told of memory is the largest of ten looks, what is told of CPU is exact to a second.
- **Backlogs**: drained by one real consumer; the first events warm it up, and do not count.`;

const WHAT_A_GUARANTEE_COSTS = `## What a guarantee costs, and what is lost by each faster setting

| setting | is faster because | and loses |
| --- | --- | --- |
| publishing without waiting for confirms | no round trip, no fsync of the broker | whatever the broker had not written when it or the link died |
| \`persistent: false\` | the same, on classic queues; quorum queues write all the same | every event at a restart of the broker |
| acks by hand without an inbox (\`the loop, no store\`) | no look, no row | a redelivery is a second effect |
| \`synchronous=OFF\` or \`NORMAL\` | no fsync for each group | acknowledged effects at a loss of power |
| a larger \`PREFETCH\` | larger groups, fewer fsyncs | more is in flight, so more is delivered again after a crash |
| groups by hand | no event is checked, none has a deadline | one bad event takes its group along, for ever |
| \`LOG_LEVEL=warning\` | no line for each event | the lines |

A consumer runs with \`--max-semi-space-size=2,--heap-growing-percent=30\` (see its task): V8 lets a young
heap grow to 16 MiB a half otherwise, and keeps what it has once taken. It costs a few more collections.`;
