/** How much of everything a comparison does. */
import type { RampPlan } from "./load/ramp.ts";

/** An open load. */
export interface LoadPlan {
  readonly ratePerSecond: number;
  /** In all, on each of the four. */
  readonly seconds: number;
  /** So many turns share the seconds. */
  readonly rounds: number;
}

/** The sizes of a comparison. */
export interface Plan {
  /** How long a healthy subscriber takes for one event. */
  readonly subscriberMs: number;
  /** Before anything is measured. */
  readonly warmUp: LoadPlan;
  readonly latency: LoadPlan;
  readonly outage: LoadPlan;
  /** n.b. slower: what ten subscribers do for each signup must be no more than the machine can do. */
  readonly growthLoad: LoadPlan;
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
    warmUp: { ratePerSecond: 40, seconds: 1, rounds: 1 },
    latency: { ratePerSecond: 40, seconds, rounds: 2 },
    outage: { ratePerSecond: 40, seconds: seconds * 0.3, rounds: 1 },
    growthLoad: { ratePerSecond: 10, seconds: seconds * 0.4, rounds: 1 },
    growth: [3, 5, 10],
    ramp: { start: 16, max: 512 },
    stepSeconds: 1.5,
  };
}

/** A look whether all of it works: its figures are too few to be quoted. */
export const QUICK_PLAN: Plan = {
  subscriberMs: 200,
  warmUp: { ratePerSecond: 40, seconds: 0.25, rounds: 1 },
  latency: { ratePerSecond: 40, seconds: 1, rounds: 1 },
  outage: { ratePerSecond: 40, seconds: 0.5, rounds: 1 },
  growthLoad: { ratePerSecond: 10, seconds: 0.5, rounds: 1 },
  growth: [3, 5],
  ramp: { start: 16, max: 64 },
  stepSeconds: 0.5,
};
