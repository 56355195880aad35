/** The five comparisons as tables: the same for the terminal and for Markdown. */
import type { Comparison, Outage } from "../result.ts";
import { OUTAGES } from "../result.ts";
import { SPECS, type Variant, VARIANTS } from "../variants.ts";

/** One comparison, ready to be drawn. */
export interface ResultTable {
  /** The comparison's name, as in the result. */
  readonly name: "latency" | "outages" | "growth" | "throughput" | "effort";
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** How to read it. */
  readonly note: string;
}

/** The outages, in a few words. */
export const OUTAGE_TITLES: Readonly<Record<Outage, string>> = {
  down: "loyalty is down",
  slow: "loyalty takes 2 s",
  failing: "loyalty fails 5 %",
  brokerDown: "broker is down",
};

/** The tables, in the order of the workshop's questions. */
export function resultTables(comparison: Comparison): readonly ResultTable[] {
  return [
    latencyTable(comparison),
    outageTable(comparison),
    growthTable(comparison),
    throughputTable(comparison),
    effortTable(comparison),
  ];
}

function latencyTable({ latencyMs, plan }: Comparison): ResultTable {
  return {
    name: "latency",
    title: "Latency of POST /users",
    head: ["", "p50 ms", "p95 ms", "p99 ms"],
    rows: byVariant((variant) => {
      const { p50, p95, p99 } = latencyMs[variant];
      return [tenths(p50), tenths(p95), tenths(p99)];
    }),
    note:
      `${plan.latency.ratePerSecond} signups a second, whether the ones before were answered or not; ` +
      `3 subscribers of ${plan.subscriberMs} ms.`,
  };
}

function outageTable({ outages }: Comparison): ResultTable {
  return {
    name: "outages",
    title: "A subscriber or the broker is not well",
    head: ["", "", "201 %", "p50 ms", "p99 ms", "lost", "orphans"],
    rows: OUTAGES.flatMap((outage) =>
      byVariant((variant) => {
        const { successRate, p50, p99, lost, orphans } = outages[outage][variant];
        return [tenths(successRate * 100), tenths(p50), tenths(p99), lost, orphans];
      }).map((row) => [OUTAGE_TITLES[outage], ...row])
    ),
    note: "lost: answered 201, and a subscriber never heard of it. " +
      "orphans: refused, and a subscriber has done its part all the same.",
  };
}

function growthTable({ growth, plan }: Comparison): ResultTable {
  const counts = growth.events.map(({ subscribers }) => subscribers);
  return {
    name: "growth",
    title: "Latency with more subscribers",
    head: ["", ...counts.map((count) => `p50 ms with ${count}`), `p99 ms with ${counts.at(-1)}`],
    rows: byVariant((variant) => [
      ...growth[variant].map(({ p50 }) => tenths(p50)),
      tenths(growth[variant].at(-1)!.p99),
    ]),
    note: `With ${counts.join(", ")} subscribers, at ${plan.growthLoad.ratePerSecond} signups a ` +
      "second. The publishers that have a list of them were changed and started again each time.",
  };
}

function throughputTable({ throughput }: Comparison): ResultTable {
  return {
    name: "throughput",
    title: "Throughput until it saturates",
    head: ["", "max /s", "at once", "backlog", "saturated"],
    rows: byVariant((variant) => {
      const { maxPerSecond, concurrency, backlog, saturated } = throughput[variant];
      return [maxPerSecond, concurrency, backlog, saturated ? "yes" : "no"];
    }),
    note: "backlog: accepted signups of which a subscriber had not heard yet at the end. " +
      "The load comes from the same machine.",
  };
}

function effortTable({ effort }: Comparison): ResultTable {
  return {
    name: "effort",
    title: "A subscriber is added",
    head: ["", "lines changed", "new release", "next signup reached it"],
    rows: byVariant((variant) => {
      const { linesChanged, publisherRestarted, received } = effort[variant];
      return [linesChanged, yesNo(publisherRestarted), yesNo(received)];
    }),
    note: "Lines of the publisher. Each was really changed, started and tried.",
  };
}

function byVariant(
  cells: (variant: Variant) => (string | number)[],
): (string | number)[][] {
  return VARIANTS.map((variant) => [SPECS[variant].title, ...cells(variant)]);
}

function tenths(value: number): number {
  return Number(value.toFixed(1));
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}
