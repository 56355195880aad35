/** The five comparisons as tables: the same for the terminal and for Markdown. */
import { figureRows } from "../../report/figure_rows.ts";
import { type Outage, OUTAGES } from "../result.ts";
import { SPECS, VARIANTS } from "../variants.ts";
import type { Figures } from "./figures.ts";

/** One comparison, ready to be drawn. */
export interface ResultTable {
  /** The comparison's name, as in the figures. */
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

const TITLES = VARIANTS.map((variant) => [SPECS[variant].title]);

/** The tables, in the order of the workshop's questions. */
export function resultTables(figures: Figures): readonly ResultTable[] {
  const { subscribers, loads, subscriberMs } = figures;
  return [
    {
      name: "latency",
      title: "Latency of POST /users",
      head: ["", "p50 ms", "p95 ms", "p99 ms"],
      rows: rows(TITLES, figures.latency),
      note:
        `${loads.latency.ratePerSecond} signups a second, whether the ones before were answered or ` +
        `not; 3 subscribers of ${subscriberMs} ms.`,
    },
    {
      name: "outages",
      title: "A subscriber or the broker is not well",
      head: ["", "", "201 %", "p50 ms", "p99 ms", "lost", "orphans"],
      rows: rows(
        OUTAGES.flatMap((outage) => TITLES.map((title) => [OUTAGE_TITLES[outage], ...title])),
        figures.outages,
      ),
      note: "lost: answered 201, and a subscriber never heard of it. " +
        "orphans: refused, and a subscriber has done its part all the same.",
    },
    {
      name: "growth",
      title: "Latency with more subscribers",
      head: [
        "",
        ...subscribers.map((count) => `p50 ms with ${count}`),
        `p99 ms with ${subscribers.at(-1)}`,
      ],
      rows: rows(TITLES, figures.growth),
      note:
        `With ${subscribers.join(", ")} subscribers, at ${loads.growth.ratePerSecond} signups ` +
        "a second. The publishers that have a list of them were changed and started again each time.",
    },
    {
      name: "throughput",
      title: "Throughput until it saturates",
      head: ["", "max /s", "at once", "backlog", "saturated"],
      rows: rows(TITLES, figures.throughput),
      note: "backlog: accepted signups of which a subscriber had not heard yet at the end. " +
        "The load comes from the same machine.",
    },
    {
      name: "effort",
      title: "A subscriber is added",
      head: ["", "lines changed", "new release", "next signup reached it"],
      rows: rows(TITLES, figures.effort),
      note: "Lines of the publisher. Each was really changed, started and tried.",
    },
  ];
}

function rows(labels: readonly string[][], figures: object): (string | number)[][] {
  return figureRows(figures).map((row, n) => [
    ...labels[n]!,
    ...row.map((figure) => typeof figure === "boolean" ? (figure ? "yes" : "no") : figure),
  ]);
}
