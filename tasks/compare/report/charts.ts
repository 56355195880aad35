/** The comparisons as Mermaid charts, which GitHub draws. */
import { OUTAGES } from "../result.ts";
import { SPECS, type Variant, VARIANTS } from "../variants.ts";
import type { Figures } from "./figures.ts";
import { OUTAGE_TITLES, type ResultTable } from "./tables.ts";

/** One chart, and what it shows. */
export interface Chart {
  readonly caption: string;
  readonly source: string;
}

/** The charts of `figures`, by the names of their tables. */
export function charts(
  figures: Figures,
): Readonly<Partial<Record<ResultTable["name"], Chart>>> {
  const { latency, outages, growth, throughput } = figures;
  const titles = VARIANTS.map((variant) => SPECS[variant].title);
  const counts = figures.subscribers.map(String);
  return {
    latency: {
      caption: "Half of the signups are answered within this time.",
      source: chart("Latency of POST /users, p50", titles, "ms", [
        bar(VARIANTS.map((variant) => latency[variant].p50)),
      ]),
    },
    outages: {
      caption:
        "How many signups of a hundred are answered 201: bars for the coupled API, the line " +
        "for events.",
      source: chart("Signups answered 201 during an outage", Object.values(OUTAGE_TITLES), "%", [
        bar(OUTAGES.map((outage) => outages[outage].coupled.acceptedPercent)),
        line(OUTAGES.map((outage) => outages[outage].events.acceptedPercent)),
      ]),
    },
    growth: {
      caption: `One line for each: ${byLatency(figures).join(", ")}, from the highest down.`,
      source: chart(
        "Latency of POST /users, p50, by the number of subscribers",
        counts,
        "ms",
        VARIANTS.map((variant) => line(growth[variant].p50)),
      ),
    },
    throughput: {
      caption: "The most that each answered.",
      source: chart("Signups a second at saturation", titles, "signups a second", [
        bar(VARIANTS.map((variant) => throughput[variant].maxPerSecond)),
      ]),
    },
  };
}

function byLatency({ growth }: Figures): string[] {
  const last = (variant: Variant) => growth[variant].p50.at(-1)!;
  return [...VARIANTS].sort((a, b) => last(b) - last(a)).map((variant) => SPECS[variant].title);
}

/** One row of bars, or one line. */
interface Series {
  readonly kind: "bar" | "line";
  readonly values: readonly number[];
}

function chart(
  title: string,
  labels: readonly string[],
  unit: string,
  series: readonly Series[],
): string {
  const highest = Math.max(1, ...series.flatMap(({ values }) => values));
  return [
    "xychart-beta",
    `  title "${title}"`,
    `  x-axis [${labels.map((label) => `"${label}"`).join(", ")}]`,
    `  y-axis "${unit}" 0 --> ${Math.ceil(highest)}`,
    ...series.map(({ kind, values }) =>
      `  ${kind} [${values.map((value) => Number(value.toFixed(1))).join(", ")}]`
    ),
  ].join("\n");
}

function bar(values: readonly number[]): Series {
  return { kind: "bar", values };
}

function line(values: readonly number[]): Series {
  return { kind: "line", values };
}
