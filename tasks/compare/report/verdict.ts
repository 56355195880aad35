/** The workshop's claims for events, held against what was measured. */
import type { Comparison } from "../result.ts";
import { OUTAGES } from "../result.ts";

/** What the claims are called where they are looked up. */
export type ClaimName =
  | "refusesNothing"
  | "losesNothing"
  | "publisherUntouched"
  | "farFaster"
  | "unslowedByOutages"
  | "unslowedByGrowth";

/** One claim, and whether it held. */
export interface Claim {
  readonly name: ClaimName;
  readonly claim: string;
  /** The figures behind it. */
  readonly measured: string;
  readonly holds: boolean;
  /** Whether it must hold on any machine, however busy: then the command fails without it. */
  readonly isFact: boolean;
}

/** The workshop's: 600 ms → 50 ms. */
const TIMES_FASTER = 12;

/** All of them. */
export function claims(comparison: Comparison): readonly Claim[] {
  const { latencyMs, outages, growth, effort, plan } = comparison;
  const times = latencyMs.coupled.p50 / latencyMs.events.p50;
  const unwell = OUTAGES.map((outage) => outages[outage].events);
  const refused = sum(unwell.map((result) => result.refused));
  const lost = sum(unwell.map((result) => result.lost));
  const worst = Math.max(...unwell.map(({ p95 }) => p95));
  const most = growth.events.at(-1)!;
  const { linesChanged, received } = effort.events;
  return [
    {
      name: "refusesNothing",
      claim: "No signup is refused while a subscriber or the broker is not well",
      measured: `${refused} of ${sum(unwell.map(({ signups }) => signups))} refused`,
      holds: refused === 0,
      isFact: true,
    },
    {
      name: "losesNothing",
      claim: "No event is lost",
      measured: `${lost} lost`,
      holds: lost === 0,
      isFact: true,
    },
    {
      name: "publisherUntouched",
      claim: "A subscriber is added without touching the publisher",
      measured: `${linesChanged} lines, and it ${received ? "got" : "did not get"} the next signup`,
      holds: linesChanged === 0 && received,
      isFact: true,
    },
    {
      name: "farFaster",
      claim: `Events answer at least ${TIMES_FASTER} times faster than three calls, at p50`,
      measured: `${latencyMs.coupled.p50} ms → ${latencyMs.events.p50} ms, ${
        times.toFixed(0)
      } times`,
      holds: times >= TIMES_FASTER,
      isFact: false,
    },
    {
      name: "unslowedByOutages",
      claim: "Neither a subscriber nor the broker slows a signup down",
      measured: `worst p95 ${worst} ms, against the ${plan.subscriberMs} ms of one subscriber`,
      holds: worst < plan.subscriberMs,
      isFact: false,
    },
    {
      name: "unslowedByGrowth",
      claim: "More subscribers do not slow a signup down",
      measured: `p95 ${most.p95} ms with ${most.subscribers}`,
      holds: most.p95 < plan.subscriberMs,
      isFact: false,
    },
  ];
}

/** Whether everything holds that must hold on any machine. */
export function isOk(comparison: Comparison): boolean {
  return claims(comparison).every(({ isFact, holds }) => holds || !isFact);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
