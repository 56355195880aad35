/** What follows from the report's figures, the same in every language. */
import { OUTAGES } from "../compare/result.ts";
import type { Variant } from "../compare/variants.ts";
import { PEAK_PER_HOUR } from "../roi/workshop_sums.ts";
import type { CompareReport } from "./compare_report.ts";

/** The workshop's "50 ms per event". */
const CLAIMED_MS = 50;
/** Its "growth to three times the volume". */
const GROWTH = 3;
const SECONDS_PER_HOUR = 3_600;
/** n.b. from 0 of n, a rate above 3/n can be ruled out at 95 %, and no smaller one. */
const RULE_OF_THREE = 3;

/** Figures that are worked out of others, and what they decide. */
export interface Findings {
  /** How much less of the coupled latency is left, in percent. */
  readonly latencyCutPercent: number;
  readonly isWithinClaimedMs: boolean;
  /** Over all outages. */
  readonly lost: number;
  readonly coupledLost: number;
  readonly coupledOrphans: number;
  readonly refusedNone: boolean;
  /** The lowest rate of loss, in percent, that so many signups without a loss rule out. */
  readonly ruledOutPercent: string;
  readonly isSlowedByOutage: boolean;
  /** Of the coupled API, for each further subscriber. */
  readonly msPerSubscriber: number;
  /** What the workshop wants to be able to grow to. */
  readonly wantedPerSecond: string;
  readonly isEnough: boolean;
  /** Whether the run was one for a look only. */
  readonly isQuick: boolean;
}

/** Works them out. */
export function findings(report: CompareReport): Findings {
  const { p50, unwell, growth, maxPerSecond } = report;
  const { counts } = growth;
  const wanted = PEAK_PER_HOUR * GROWTH / SECONDS_PER_HOUR;
  const total = (variant: Variant, count: "lost" | "orphans") =>
    OUTAGES.reduce((sum, outage) => sum + report.outages[outage][variant][count], 0);
  return {
    latencyCutPercent: Math.round((1 - p50.events / p50.coupled) * 1_000) / 10,
    isWithinClaimedMs: p50.events <= CLAIMED_MS,
    lost: total("events", "lost"),
    coupledLost: total("coupled", "lost"),
    coupledOrphans: total("coupled", "orphans"),
    refusedNone: unwell.refused === 0,
    ruledOutPercent: (RULE_OF_THREE / unwell.signups * 100).toFixed(2),
    isSlowedByOutage: unwell.worstP95 >= report.subscriberMs,
    msPerSubscriber: Math.round(
      (growth.p50.coupled.at(-1)! - growth.p50.coupled[0]!) / (counts.at(-1)! - counts[0]!),
    ),
    wantedPerSecond: wanted.toFixed(2),
    isEnough: maxPerSecond.events >= wanted,
    isQuick: report.command.includes("--quick"),
  };
}

/** `figures` of each number of subscribers: `3: 604.2 ms, 5: 1006.1 ms`. */
export function bySubscribers(
  counts: readonly number[],
  figures: readonly number[],
): string {
  return counts.map((count, n) => `${count}: ${figures[n]} ms`).join(", ");
}
