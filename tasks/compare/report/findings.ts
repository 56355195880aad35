/** What follows from a comparison's figures, for documents that draw conclusions from them. */
import { PEAK_PER_HOUR } from "../../roi/workshop_sums.ts";
import { type Comparison, OUTAGES } from "../result.ts";
import type { Variant } from "../variants.ts";
import { type ClaimName, claims } from "./verdict.ts";

/** The workshop's "50 ms per event". */
const CLAIMED_MS = 50;
/** Its "growth to three times the volume", from the peaks. */
const WANTED_PER_SECOND = PEAK_PER_HOUR * 3 / 3_600;
/** n.b. from 0 of n, a rate above 3/n can be ruled out at 95 %, and no smaller one. */
const RULE_OF_THREE = 3;

/** Figures that are worked out of others. Those of outages are of all four together. */
export interface Findings {
  /** How many times faster events are than three calls, at p50. */
  readonly timesFaster: number;
  /** How much less of the coupled latency is left, in percent. */
  readonly latencyCutPercent: number;
  /** Signups of events during outages, and what became of them. */
  readonly outages: {
    readonly signups: number;
    readonly refused: number;
    readonly lost: number;
    readonly worstP95: number;
    readonly coupledOrphans: number;
  };
  /** The lowest rate of loss, in percent, that so many signups without a loss rule out. */
  readonly ruledOutPercent: number;
  /** Of the coupled API, for each further subscriber. */
  readonly msPerSubscriber: number;
  /** What the workshop wants to be able to grow to. */
  readonly wantedPerSecond: number;
}

/** What may be concluded: the report's claims, and what documents say beyond them. */
export type Verdicts = Readonly<
  Record<
    | ClaimName
    | "quotable"
    | "answersWithinClaimedMs"
    | "coupledLosesNothing"
    | "carriesWanted"
    | "coupledCarriesWanted",
    boolean
  >
>;

/** The figures that follow. */
export function findings(comparison: Comparison): Findings {
  const { latencyMs: { coupled, events }, growth } = comparison;
  const signups = duringOutages(comparison, "events", "signups");
  const [fewest, most] = [growth.coupled[0]!, growth.coupled.at(-1)!];
  return {
    timesFaster: Math.round(coupled.p50 / events.p50),
    latencyCutPercent: Number(((1 - events.p50 / coupled.p50) * 100).toFixed(1)),
    outages: {
      signups,
      refused: duringOutages(comparison, "events", "refused"),
      lost: duringOutages(comparison, "events", "lost"),
      worstP95: Math.max(...OUTAGES.map((outage) => comparison.outages[outage].events.p95)),
      coupledOrphans: duringOutages(comparison, "coupled", "orphans"),
    },
    ruledOutPercent: hundredths(RULE_OF_THREE / signups * 100),
    msPerSubscriber: Math.round((most.p50 - fewest.p50) / (most.subscribers - fewest.subscribers)),
    wantedPerSecond: hundredths(WANTED_PER_SECOND),
  };
}

/** Which conclusions hold. */
export function verdicts(comparison: Comparison): Verdicts {
  const { latencyMs, throughput, command } = comparison;
  const byName = Object.fromEntries(claims(comparison).map(({ name, holds }) => [name, holds]));
  return {
    ...byName as Record<ClaimName, boolean>,
    quotable: !command.includes("--quick"),
    answersWithinClaimedMs: latencyMs.events.p50 <= CLAIMED_MS,
    coupledLosesNothing: duringOutages(comparison, "coupled", "lost") === 0,
    carriesWanted: throughput.events.maxPerSecond >= WANTED_PER_SECOND,
    coupledCarriesWanted: throughput.coupled.maxPerSecond >= WANTED_PER_SECOND,
  };
}

function duringOutages(
  { outages }: Comparison,
  variant: Variant,
  count: "signups" | "refused" | "lost" | "orphans",
): number {
  return OUTAGES.reduce((sum, outage) => sum + outages[outage][variant][count], 0);
}

function hundredths(value: number): number {
  return Number(value.toFixed(2));
}
