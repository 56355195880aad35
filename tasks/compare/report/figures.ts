/**
 * The figures of a comparison as its report shows them: rounded, and with what follows from them. The
 * Markdown is made of nothing else, and `--report` writes them beside it, for documents that quote them.
 */
import type { Circumstances } from "../../report/circumstances.ts";
import type { LoadPlan } from "../plan.ts";
import { type Comparison, type Outage, OUTAGES } from "../result.ts";
import { type ByVariant, byVariant } from "../variants.ts";
import { type Findings, findings, type Verdicts, verdicts } from "./findings.ts";
import { type Claim, claims } from "./verdict.ts";

/** How much load is behind a figure. */
export interface LoadFigures {
  readonly ratePerSecond: number;
  /** On each of the four. */
  readonly signups: number;
}

/**
 * All of them. Latencies are in ms.
 *
 * n.b. the fields of each of the four are the columns of its table, in their order.
 */
export interface Figures extends Pick<Circumstances, "machine" | "versions"> {
  readonly command: string;
  /** `2026-11-24`. */
  readonly date: string;
  /** The machine's load average before it began. */
  readonly loadBefore: number;
  readonly elapsedSeconds: number;
  /** How long a healthy subscriber takes for one event. */
  readonly subscriberMs: number;
  readonly loads: Readonly<Record<"latency" | "outages" | "growth", LoadFigures>>;
  /** The numbers of subscribers behind the columns of `growth`. */
  readonly subscribers: readonly number[];
  readonly latency: ByVariant<{ readonly p50: number; readonly p95: number; readonly p99: number }>;
  readonly outages: Readonly<Record<Outage, ByVariant<OutageFigures>>>;
  /** The p50 for each number of subscribers, and the p99 with the most. */
  readonly growth: ByVariant<{ readonly p50: readonly number[]; readonly p99: number }>;
  readonly throughput: ByVariant<{
    readonly maxPerSecond: number;
    readonly concurrency: number;
    readonly backlog: number;
    readonly saturated: boolean;
  }>;
  readonly effort: ByVariant<{
    readonly linesChanged: number;
    readonly publisherRestarted: boolean;
    readonly received: boolean;
  }>;
  readonly findings: Findings;
  readonly verdicts: Verdicts;
  readonly claims: readonly Claim[];
}

/** What one of the four did during an outage. */
export interface OutageFigures {
  readonly acceptedPercent: number;
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
  readonly orphans: number;
}

/** Those of `comparison`. */
export function figuresOf(comparison: Comparison): Figures {
  const { command, date, machine, versions, loadBefore, elapsedMs, plan } = comparison;
  const { latencyMs, outages, growth, throughput, effort } = comparison;
  return {
    command,
    date: date.toISOString().slice(0, 10),
    machine,
    versions,
    loadBefore: Number(loadBefore.toFixed(2)),
    elapsedSeconds: Math.round(elapsedMs / 1000),
    subscriberMs: plan.subscriberMs,
    loads: {
      latency: loadFigures(plan.latency),
      outages: loadFigures(plan.outage),
      growth: loadFigures(plan.growthLoad),
    },
    subscribers: growth.events.map(({ subscribers }) => subscribers),
    latency: byVariant((variant) => {
      const { p50, p95, p99 } = latencyMs[variant];
      return { p50: tenths(p50), p95: tenths(p95), p99: tenths(p99) };
    }),
    outages: Object.fromEntries(
      OUTAGES.map((outage) => [outage, outageFigures(outages[outage])]),
    ) as Figures["outages"],
    growth: byVariant((variant) => ({
      p50: growth[variant].map(({ p50 }) => tenths(p50)),
      p99: tenths(growth[variant].at(-1)!.p99),
    })),
    throughput: byVariant((variant) => {
      const { maxPerSecond, concurrency, backlog, saturated } = throughput[variant];
      return { maxPerSecond, concurrency, backlog, saturated };
    }),
    effort: byVariant((variant) => {
      const { linesChanged, publisherRestarted, received } = effort[variant];
      return { linesChanged, publisherRestarted, received };
    }),
    findings: findings(comparison),
    verdicts: verdicts(comparison),
    claims: claims(comparison),
  };
}

function outageFigures(outage: Comparison["outages"][Outage]): ByVariant<OutageFigures> {
  return byVariant((variant) => {
    const { successRate, p50, p99, lost, orphans } = outage[variant];
    return {
      acceptedPercent: tenths(successRate * 100),
      p50: tenths(p50),
      p99: tenths(p99),
      lost,
      orphans,
    };
  });
}

function loadFigures({ ratePerSecond, seconds }: LoadPlan): LoadFigures {
  return { ratePerSecond, signups: Math.round(ratePerSecond * seconds) };
}

function tenths(value: number): number {
  return Number(value.toFixed(1));
}
