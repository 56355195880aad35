/** How much of everything a comparison does. */
import type { RampPlan } from "./ramp.ts";

/** The sizes of a comparison. */
export interface Plan {
  /** How long a healthy subscriber takes for one event. */
  readonly subscriberMs: number;
  /** Signups a second in every open loop. */
  readonly ratePerSecond: number;
  /** Before anything is measured. */
  readonly warmUpSeconds: number;
  /** Of load on each of the four, in so many rounds. */
  readonly latencySeconds: number;
  readonly latencyRounds: number;
  readonly outageSeconds: number;
  readonly growthSeconds: number;
  /** Numbers of subscribers, rising; the first is the workshop's three. */
  readonly growth: readonly number[];
  readonly ramp: RampPlan;
  readonly stepSeconds: number;
}

/** Seconds of load behind each latency, unless a person says otherwise. */
export const DEFAULT_SECONDS = 10;

/** The whole of it: about four minutes on two cores. */
export function standardPlan(seconds: number): Plan {
  return {
    subscriberMs: 200,
    ratePerSecond: 40,
    warmUpSeconds: 1,
    latencySeconds: seconds,
    latencyRounds: 2,
    outageSeconds: seconds * 0.3,
    growthSeconds: seconds * 0.4,
    growth: [3, 5, 10],
    ramp: { start: 8, max: 512 },
    stepSeconds: 1.5,
  };
}

/** A look whether all of it works: its figures are too few to be quoted. */
export const QUICK_PLAN: Plan = {
  subscriberMs: 200,
  ratePerSecond: 40,
  warmUpSeconds: 0.25,
  latencySeconds: 1,
  latencyRounds: 1,
  outageSeconds: 0.5,
  growthSeconds: 0.75,
  growth: [3, 5],
  ramp: { start: 16, max: 64 },
  stepSeconds: 0.5,
};
