/** Reads `docs/compare.md` back: what `tasks/compare/report/report.ts` writes, and only that. */
import { OUTAGE_TITLES } from "../compare/report/tables.ts";
import { type Outage, OUTAGES } from "../compare/result.ts";
import { type ByVariant, byVariant, SPECS } from "../compare/variants.ts";
import { DocumentError } from "./document_error.ts";

/** The names of its tables, in their order. */
export const TABLES = ["latency", "outages", "growth", "throughput", "effort"] as const;
/** One of {@link TABLES}. */
export type TableName = typeof TABLES[number];

/** A table as it stands there. Its cells are texts, so that a figure is never written differently. */
export interface ReportTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What one of the four did during an outage. */
export interface OutageFigures {
  readonly success: number;
  readonly lost: number;
  readonly orphans: number;
}

/** The report's figures. Times are in ms, rates in percent. */
export interface CompareReport {
  /** Such as `deno task compare --report docs/compare.md`. */
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly loadBefore: string;
  readonly versions: { readonly rabbitmq: string; readonly deno: string };
  readonly tables: Readonly<Record<TableName, ReportTable>>;
  readonly p50: ByVariant<number>;
  /** How many times faster events are than three calls, as the report rounds it. */
  readonly timesFaster: number;
  readonly outages: Readonly<Record<Outage, ByVariant<OutageFigures>>>;
  /** Events' signups over all outages, how many of them were refused, and the slowest p95. */
  readonly unwell: {
    readonly signups: number;
    readonly refused: number;
    readonly worstP95: number;
  };
  readonly subscriberMs: number;
  /** Signups a second behind the latencies. */
  readonly ratePerSecond: number;
  /** Signups a second with more subscribers. */
  readonly growthRatePerSecond: number;
  /** Numbers of subscribers, and the p50 with each. */
  readonly growth: { readonly counts: readonly number[]; readonly p50: ByVariant<number[]> };
  readonly maxPerSecond: ByVariant<number>;
  readonly linesChanged: ByVariant<number>;
}

/** @throws {DocumentError} `markdown` is no such report. */
export function parseCompareReport(markdown: string): CompareReport {
  const [, command, date, machine, loadBefore, rabbitmq, deno] = found(
    markdown,
    /^Made by `(.+?)` on (\S+), on (.+) \(load average before: (\S+)\), with RabbitMQ (\S+) and Deno (\S+), in/m,
    "where and when it was made",
  );
  const tables = parseTables(markdown);
  const claim = (pattern: RegExp, what: string) => found(markdown, pattern, what).slice(1);
  const [refused, signups] = claim(/: (\d+) of (\d+) refused\./, "how many were refused");
  const [timesFaster] = claim(/ ms → \S+ ms, (\d+) times\./, "how many times faster it is");
  const [worstP95] = claim(/: worst p95 (\S+) ms,/, "the worst p95");
  const [rate, subscriberMs] = claim(
    /^(\d+) signups a second,[^;]*; 3 subscribers of (\d+) ms\.$/m,
    "the load",
  );
  const [growthRate] = claim(/subscribers, at (\d+) signups a second\./, "the load of growth");
  return {
    command: command!,
    date: date!,
    machine: machine!,
    loadBefore: loadBefore!,
    versions: { rabbitmq: rabbitmq!, deno: deno! },
    tables,
    p50: byVariant((variant) => numbers(tables.latency, SPECS[variant].title)[0]!),
    timesFaster: Number(timesFaster),
    outages: outageFigures(tables.outages),
    unwell: {
      signups: Number(signups),
      refused: Number(refused),
      worstP95: Number(worstP95),
    },
    subscriberMs: Number(subscriberMs),
    ratePerSecond: Number(rate),
    growthRatePerSecond: Number(growthRate),
    growth: {
      counts: tables.growth.head.flatMap((cell) => cell.match(/^p50 ms with (\d+)$/)?.[1] ?? [])
        .map(Number),
      p50: byVariant((variant) => numbers(tables.growth, SPECS[variant].title).slice(0, -1)),
    },
    maxPerSecond: byVariant((variant) => numbers(tables.throughput, SPECS[variant].title)[0]!),
    linesChanged: byVariant((variant) => numbers(tables.effort, SPECS[variant].title)[0]!),
  };
}

function parseTables(markdown: string): Record<TableName, ReportTable> {
  const parsed: Partial<Record<TableName, ReportTable>> = {};
  TABLES.forEach((name, n) => {
    const [, table] = found(
      markdown,
      new RegExp(`^## ${n + 1}\\. .+\\n\\n((?:\\|.*\\n)+)`, "m"),
      `the table of ${name}`,
    );
    const [head, , ...rows] = table!.trimEnd().split("\n").map(cells);
    parsed[name] = { head: head!, rows };
  });
  return parsed as Record<TableName, ReportTable>;
}

function cells(line: string): string[] {
  return line.replace(/^\| ?/, "").replace(/ ?\|$/, "").split(" | ").map((cell) => cell.trim());
}

function outageFigures(table: ReportTable): CompareReport["outages"] {
  const parsed: Partial<Record<Outage, ByVariant<OutageFigures>>> = {};
  for (const outage of OUTAGES) {
    parsed[outage] = byVariant((variant) => {
      const [success, , , lost, orphans] = numbers(
        table,
        OUTAGE_TITLES[outage],
        SPECS[variant].title,
      );
      return { success: success!, lost: lost!, orphans: orphans! };
    });
  }
  return parsed as Record<Outage, ByVariant<OutageFigures>>;
}

/** What follows `titles` in the row that begins with them. */
function numbers(table: ReportTable, ...titles: readonly string[]): number[] {
  const row = table.rows.find((row) => titles.every((title, n) => row[n] === title));
  if (!row) throw unreadable(`the row ${titles.join(", ")}`);
  return row.slice(titles.length).map(Number);
}

function found(markdown: string, pattern: RegExp, what: string): RegExpMatchArray {
  const match = markdown.match(pattern);
  if (!match) throw unreadable(what);
  return match;
}

function unreadable(what: string): DocumentError {
  return new DocumentError(
    `The report of the comparison does not say ${what}: make it again with ` +
      "deno task compare --report docs/compare.md",
  );
}
