/** What a comparison may find, for the tests of what is made of it. */
import { standardPlan } from "../../tasks/compare/plan.ts";
import type {
  Comparison,
  EffortResult,
  OutageResult,
  ThroughputResult,
} from "../../tasks/compare/result.ts";
import type { ByVariant } from "../../tasks/compare/variants.ts";

/** Of three calls. */
export const SLOW = { p50: 604.21, p95: 612.5, p99: 640 };
/** Of whoever does not wait. */
export const FAST = { p50: 4.04, p95: 7.5, p99: 12.25 };
/** The two, for the four. */
export const LATENCY = { coupled: SLOW, queueEach: FAST, direct: FAST, events: FAST };

/** An outage in which the two differ from the best that can be. */
export function outage(
  coupled: Partial<OutageResult>,
  events: Partial<OutageResult> = {},
): ByVariant<OutageResult> {
  const well = { ...FAST, signups: 160, refused: 0, successRate: 1, lost: 0, orphans: 0 };
  return {
    coupled: { ...well, ...SLOW, ...coupled },
    queueEach: well,
    direct: well,
    events: { ...well, ...events },
  };
}

function saturated(maxPerSecond: number): ThroughputResult {
  const steps = [{ concurrency: 64, perSecond: maxPerSecond }];
  return { maxPerSecond, concurrency: 64, backlog: 12_345, saturated: true, steps };
}

/** One in which every claim holds, except for `more`. */
export function comparison(more: Partial<Comparison> = {}): Comparison {
  const grown = (p50: number) =>
    [3, 5, 10].map((subscribers) => ({ ...FAST, subscribers, p50: p50 * subscribers }));
  const changed: EffortResult = { linesChanged: 1, publisherRestarted: true, received: true };
  const effort: ByVariant<EffortResult> = {
    coupled: changed,
    queueEach: changed,
    direct: changed,
    events: { linesChanged: 0, publisherRestarted: false, received: true },
  };
  return {
    latencyMs: LATENCY,
    outages: {
      down: outage({ successRate: 0, refused: 160, orphans: 160 }),
      slow: outage({ p50: 2_404, p99: 2_480.5 }),
      failing: outage({ successRate: 0.95, refused: 8, orphans: 8 }),
      brokerDown: outage({}),
    },
    growth: { coupled: grown(201), queueEach: grown(1.5), direct: grown(1.4), events: grown(1) },
    throughput: {
      coupled: saturated(310),
      queueEach: saturated(900),
      direct: saturated(880),
      events: saturated(1_200),
    },
    effort,
    command: "deno task compare --report docs/compare.md",
    date: new Date("2026-11-24T07:00:00Z"),
    machine: { os: "linux", arch: "x86_64", cores: 2 },
    versions: { rabbitmq: "3.10.8", deno: "2.9.6" },
    plan: standardPlan(10),
    loadBefore: 0.42,
    elapsedMs: 251_000,
    ...more,
  };
}
