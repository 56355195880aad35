/** How much is measured, and for how long. */

/** The measurements, in the order of their numbers. */
export const MEASUREMENTS = [
  "publish",
  "consume",
  "effects",
  "end-to-end",
  "latency",
  "outbox",
  "cost",
  "growth",
] as const;

/** One of them: what `--only` names. */
export type Measurement = typeof MEASUREMENTS[number];

/** The sizes of a run. */
export interface Plan {
  /** How often each contestant has its turn. */
  readonly runs: number;
  /** Events that may be unconfirmed at once. */
  readonly windows: readonly number[];
  /** How long one publisher publishes in its turn. */
  readonly publishMs: number;
  /** Events that wait in the queue before a subscriber without a store begins. */
  readonly acked: number;
  /** The same for one with a store; {@link slowEffects} for one that commits each alone. */
  readonly effects: number;
  readonly slowEffects: number;
  /** Events of one turn from end to end, with real processes. */
  readonly endToEnd: number;
  /** Events a second of the open load, and for how long each is kept up. */
  readonly rates: readonly number[];
  readonly rateSeconds: number;
  /** How long the users API is asked by so many at once. */
  readonly apiMs: number;
  readonly apiClients: number;
  /** The backlogs that are drained; what is drained before counts as warming up. */
  readonly smallBacklog: number;
  readonly largeBacklog: number;
  readonly warmUp: number;
  readonly subscribers: readonly number[];
  readonly payloadBytes: readonly number[];
  /** Bytes of all events of one payload's turn together, and events of it at most. */
  readonly payloadTotal: number;
  readonly competitors: readonly number[];
}

/** What is quoted. About ten minutes on two cores. */
export const STANDARD_PLAN: Plan = {
  runs: 5,
  windows: [1, 64, 256, 1024],
  publishMs: 700,
  acked: 30_000,
  effects: 20_000,
  slowEffects: 3_000,
  endToEnd: 40_000,
  rates: [100, 500, 2_000],
  rateSeconds: 5,
  apiMs: 2_500,
  apiClients: 32,
  smallBacklog: 10_000,
  largeBacklog: 1_000_000,
  warmUp: 20_000,
  subscribers: [1, 2, 4, 7, 10],
  payloadBytes: [200, 1_024, 8_192, 65_536],
  payloadTotal: 20_000_000,
  competitors: [1, 2, 4],
};

/** A look whether all of it works: nothing to be quoted. */
export const QUICK_PLAN: Plan = {
  runs: 1,
  windows: [1, 256],
  publishMs: 150,
  acked: 2_000,
  effects: 2_000,
  slowEffects: 200,
  endToEnd: 2_000,
  rates: [100, 500],
  rateSeconds: 1,
  apiMs: 300,
  apiClients: 8,
  smallBacklog: 1_000,
  largeBacklog: 10_000,
  warmUp: 500,
  subscribers: [1, 3],
  payloadBytes: [200, 65_536],
  payloadTotal: 2_000_000,
  competitors: [1, 2],
};
