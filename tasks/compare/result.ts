/** What a comparison has found, as `--json` prints it. */
import type { Circumstances } from "../report/circumstances.ts";
import type { Ledger } from "./fleet/ledger.ts";
import type { Percentiles } from "./load/latencies.ts";
import type { Saturation } from "./load/ramp.ts";
import type { Plan } from "./plan.ts";
import type { ByVariant } from "./variants.ts";

/** The names of the outages, in the order in which they are tried. */
export const OUTAGES = ["down", "slow", "failing", "brokerDown"] as const;
/** One of {@link OUTAGES}. */
export type Outage = typeof OUTAGES[number];

/** What one of the four did while a subscriber, or the broker, was not well. */
export interface OutageResult extends Percentiles, Ledger {
  readonly signups: number;
  readonly refused: number;
  /** The part of the signups that was answered 201. */
  readonly successRate: number;
}

/** Latency with so many subscribers. */
export interface GrowthResult extends Percentiles {
  readonly subscribers: number;
}

/** Throughput, and what it left to do. */
export interface ThroughputResult extends Saturation {
  /** Accepted signups of which a subscriber had not heard yet when the load ended. */
  readonly backlog: number;
}

/** What adding a subscriber took, done for real. */
export interface EffortResult {
  /** Lines of the publisher added, changed or taken away. */
  readonly linesChanged: number;
  /** Whether the publisher had to be released again. */
  readonly publisherRestarted: boolean;
  /** Whether the new subscriber got the next signup. */
  readonly received: boolean;
}

/** The five comparisons. */
export interface Measured {
  readonly latencyMs: ByVariant<Percentiles>;
  readonly outages: Readonly<Record<Outage, ByVariant<OutageResult>>>;
  readonly growth: ByVariant<readonly GrowthResult[]>;
  readonly throughput: ByVariant<ThroughputResult>;
  readonly effort: ByVariant<EffortResult>;
}

/** All that is known of a comparison. */
export interface Comparison extends Measured, Circumstances {
  readonly command: string;
  readonly plan: Plan;
  /** The machine's load average over the minute before it began; 0 where the system has none. */
  readonly loadBefore: number;
  readonly elapsedMs: number;
}
