/** What is aimed at, whether it was reached, and why not where it was not. */
import type { Keyed } from "./figures.ts";

/** One aim. */
export interface Target {
  readonly key: string;
  /** Which of the two it is found in. */
  readonly of: keyof Keyed;
  readonly what: string;
  readonly bound: number;
  /** Whether the figure has to be at least or at most the bound. */
  readonly is: "atLeast" | "atMost";
  readonly unit?: string;
  /** What the profile says where it is missed. */
  readonly reason: string;
}

/** An aim, and what was measured of it. */
export interface Outcome extends Target {
  /** Absent where its measurement was not made. */
  readonly measured: number | undefined;
  readonly isMet: boolean | undefined;
}

/** All aims, in the order in which they are told. */
export const TARGETS: readonly Target[] = [
  {
    key: "publishVsBestPeer",
    of: "ratios",
    what: "robust publishing, window 256, against the fastest peer with the same guarantees",
    bound: 1,
    is: "atLeast",
    reason:
      "The broker's Raft log bounds everybody at this window. What is left is ours: the event " +
      "is checked, held until its outcome is known, and has a deadline.",
  },
  {
    key: "publishVsWorkshop",
    of: "ratios",
    what: "robust publishing against the workshop's publisher",
    bound: 100,
    is: "atLeast",
    reason:
      "The workshop's publisher is bounded by the opening of a connection; ours by the broker. " +
      "Where the machine is busy with something else, a connection suffers less than a stream.",
  },
  {
    key: "consumeVsAmqplib",
    of: "ratios",
    what: "the loop without a store against plain amqplib acking",
    bound: 0.9,
    is: "atLeast",
    reason:
      "What the loop does besides: the event is read against its contract, one of an id at a " +
      "time, handled with a deadline. It acks in groups, which gives most of that back.",
  },
  {
    key: "effectsVsTransactionPerEvent",
    of: "ratios",
    what: "exactly-once effects against one transaction per event",
    bound: 6,
    is: "atLeast",
    reason: "A transaction per event is bounded by the disk's fsync, groups by the statements " +
      "themselves. Where an fsync is nearly free, as on a virtual disk that caches it, the ratio is " +
      "the one of CPU times: two inserts cost both the same, and are most of what is left.",
  },
  {
    key: "effectsVsHandWrittenGroups",
    of: "ratios",
    what: "exactly-once effects against hand-written groups",
    bound: 0.8,
    is: "atLeast",
    reason:
      "Groups by hand ask no inbox before the handler, check no event, and lose a whole group " +
      "to one bad event. In the profile the look into the inbox takes a tenth of our time, the " +
      "loop's promises and checks the rest; the statements are the same.",
  },
  {
    key: "endToEndVsBefore",
    of: "ratios",
    what: "real processes end to end, effects a second, against the commit before the tuning",
    bound: 1.8,
    is: "atLeast",
    reason:
      "Five processes and the broker share the cores. What is not ours to tune, the broker and " +
      "the inventing of users, takes the same time in both, and is the larger part now.",
  },
  {
    key: "latencyP99VsAmqplib",
    of: "ratios",
    what: "end-to-end latency p99 at 500 a second, against plain amqplib writing the same rows",
    bound: 1.2,
    is: "atMost",
    reason:
      "At this rate both wait for the same fsync. Ours looks into the inbox before, and commits " +
      "at the end of the turn in which an event came.",
  },
  {
    key: "outboxCost",
    of: "ratios",
    what: "users API with outbox against the same API without, requests a second",
    bound: 0.8,
    is: "atLeast",
    reason:
      "With it, the same process also publishes each event, and writes three more rows: into " +
      "the outbox, out of it, and `announced_at`. That is CPU of the one process that answers.",
  },
  {
    key: "startToFirstDeliveryMs",
    of: "figures",
    what: "start of a consumer to its first delivery",
    bound: 350,
    is: "atMost",
    unit: "ms",
    reason:
      "It is the runtime's start, the connection, and one answer of the broker for each queue, " +
      "exchange and binding that is declared: on a busy machine each of them waits for its turn.",
  },
  {
    key: "residentMiB",
    of: "figures",
    what: "resident memory of a consumer at full rate, at most, over the large backlog",
    bound: 110,
    is: "atMost",
    unit: "MiB",
    reason: "70 MiB are the runtime before the first event. The rest is V8's heap between two " +
      "collections, and SQLite's pages.",
  },
  {
    key: "residentGrowth",
    of: "ratios",
    what: "resident memory in the last tenth of the large backlog against the second",
    bound: 1.1,
    is: "atMost",
    reason: "A heap that breathes; over a longer run it is flat (`deno task chaos` judges that).",
  },
  {
    key: "backlogGrowth",
    of: "ratios",
    what: "cost per event, the large backlog against the small one",
    bound: 1.1,
    is: "atMost",
    reason:
      "Each is drained once, and the large one for minutes: whatever else the machine does then is in it. " +
      "The least and the most of its tenths tell how steady it was.",
  },
];

/** What became of each target. */
export function outcomes(keyed: Keyed): Outcome[] {
  return TARGETS.map((target) => {
    const measured = keyed[target.of][target.key];
    const isMet = measured === undefined
      ? undefined
      : target.is === "atLeast"
      ? measured >= target.bound
      : measured <= target.bound;
    return { ...target, measured, isMet };
  });
}

/** `≥ 0.9` or `≤ 350 ms` */
export function boundText({ is, bound, unit }: Target): string {
  return `${is === "atLeast" ? "≥" : "≤"} ${bound}${unit ? ` ${unit}` : ""}`;
}
