/**
 * What a subscriber tells on `HEALTH_PORT`. n.b. loaded only where that is set: a consumer that was
 * killed is back sooner without it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { FAILURE_REASONS } from "../contract/headers.ts";
import { type HealthReport, type HealthServer, serveHealth } from "../health/health_server.ts";
import type { Logger } from "../process/log.ts";
import type { SessionView, SubscriberObserver, SubscriberState } from "./observer.ts";
import type { SubscriberSpec } from "./subscriber_spec.ts";

/** A subscriber's health, and who has to look on for it to be known. */
export interface SubscriberHealth extends HealthServer {
  readonly observer: SubscriberObserver;
}

/** Serves the health of `spec` on 127.0.0.1. @throws {ListenError} when that port cannot be had. */
export async function serveSubscriberHealth(
  spec: Pick<SubscriberSpec<unknown>, "name" | "queue">,
  port: number,
  log: Logger,
): Promise<SubscriberHealth> {
  const meter = new SubscriberMeter(spec);
  const { registry: metrics } = meter;
  const server = await serveHealth(port, { readiness: () => meter.readiness, metrics, log });
  return {
    observer: meter,
    url: server.url,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What `GET /readyz` tells of a subscriber. */
export interface SubscriberReadiness extends HealthReport {
  readonly state: SubscriberState["state"];
  /** Why it is paused. */
  readonly reason?: string;
  readonly queue: string;
  /** Since when it is in this state: ISO 8601 in UTC. */
  readonly since: string;
}

/**
 * Whether a subscriber in `state` does its work. One that rests until its store or its mail server is
 * back is `degraded`: to replace it would mend nothing.
 */
export function statusOf({ state }: SubscriberState): HealthReport["status"] {
  switch (state) {
    case "consuming":
      return "ready";
    case "paused":
      return "degraded";
    case "connecting":
    case "stopping":
      return "unavailable";
  }
}

/** How long the broker is waited for when it is asked for the backlog. */
const BACKLOG_TIMEOUT_MS = 1_000;
/** How long its answer is good for: many who ask at once cost one question. */
const BACKLOG_FRESH_MS = 1_000;
/** From what SQLite takes alone to {@link DEFAULT_HANDLER_TIMEOUT_MS}. */
const HANDLER_BUCKETS_S = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

/** Counts what a subscriber does, and knows what it is at. */
export class SubscriberMeter implements SubscriberObserver {
  readonly registry = new Registry();
  readonly #queue: string;
  readonly #handled: Counter;
  readonly #duplicates: Counter;
  readonly #retried: Counter;
  readonly #deadLettered: Counter<"reason">;
  readonly #putBack: Counter;
  readonly #handlerSeconds: Histogram;
  #state: SubscriberState = { state: "connecting" };
  readonly #now: () => Date;
  #since: Date;
  #session: SessionView | undefined;
  #backlog: BacklogAnswer | undefined;

  constructor(
    { name, queue }: Pick<SubscriberSpec<unknown>, "name" | "queue">,
    now: () => Date = () => new Date(),
  ) {
    this.#queue = queue;
    this.#now = now;
    this.#since = now();
    this.registry.setDefaultLabels({ subscriber: name });
    const counter = (what: string, help: string) =>
      new Counter({ name: `ecomarket_events_${what}_total`, help, registers: [this.registry] });
    this.#handled = counter("handled", "Effects that were committed");
    this.#duplicates = counter("duplicates", "Deliveries that the inbox recognised as done");
    this.#retried = counter("retried", "Failed deliveries that wait for another try");
    this.#putBack = counter(
      "put_back",
      "Deliveries given back uncounted: what they needed was away",
    );
    this.#deadLettered = new Counter({
      name: "ecomarket_events_dead_lettered_total",
      help: "Deliveries sent to the dead letters, by reason",
      labelNames: ["reason"],
      registers: [this.registry],
    });
    // A series that begins with its first failure would hide it from rate() and increase().
    for (const reason of FAILURE_REASONS) this.#deadLettered.inc({ reason }, 0);
    this.#handlerSeconds = new Histogram({
      name: "ecomarket_handler_seconds",
      help: "How long a call of the handler takes, also one that fails",
      buckets: HANDLER_BUCKETS_S,
      registers: [this.registry],
    });
    this.#addGauges();
  }

  get readiness(): SubscriberReadiness {
    const status = statusOf(this.#state);
    return { status, ...this.#state, queue: this.#queue, since: this.#since.toISOString() };
  }

  handled(): void {
    this.#handled.inc();
  }

  duplicate(): void {
    this.#duplicates.inc();
  }

  retried(): void {
    this.#retried.inc();
  }

  deadLettered(reason: typeof FAILURE_REASONS[number]): void {
    this.#deadLettered.inc({ reason });
  }

  putBack(): void {
    this.#putBack.inc();
  }

  async calling<R>(call: () => Promise<R>): Promise<R> {
    const start = performance.now();
    try {
      return await call();
    } finally {
      this.#handlerSeconds.observe((performance.now() - start) / 1_000);
    }
  }

  sessionStarted(session: SessionView): void {
    this.#session = session;
    this.#backlog = undefined;
  }

  stateChanged(state: SubscriberState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#since = this.#now();
  }

  /** What is looked up when somebody asks, rather than kept up with every delivery. */
  #addGauges(): void {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(value());
        },
      });
    gauge(
      "ecomarket_consuming",
      "Whether it consumes: 1 or 0",
      () => Number(this.#state.state === "consuming"),
    );
    gauge(
      "ecomarket_in_flight",
      "Deliveries in hand on the present link",
      () => this.#session?.inFlight ?? 0,
    );
    const askBacklog = () => this.#askBacklog();
    const queue = this.#queue;
    new Gauge({
      name: "ecomarket_queue_backlog",
      help: "Messages that wait in the queue; absent while the broker does not say",
      labelNames: ["queue"],
      registers: [this.registry],
      async collect() {
        const backlog = await askBacklog();
        this.reset();
        if (backlog !== undefined) this.set({ queue }, backlog);
      },
    });
  }

  async #askBacklog(): Promise<number | undefined> {
    if (!this.#session || this.#state.state === "connecting") return undefined;
    if (!this.#backlog || performance.now() - this.#backlog.answeredAt > BACKLOG_FRESH_MS) {
      this.#backlog = new BacklogAnswer(this.#session);
    }
    const giveUp = new AbortController();
    const late = delay(BACKLOG_TIMEOUT_MS, undefined, { signal: giveUp.signal }).catch(() => {});
    const backlog = await Promise.race([this.#backlog.messages, late]);
    giveUp.abort();
    return typeof backlog === "number" ? backlog : undefined;
  }
}

/** One question for the backlog. No other is asked while the broker owes the answer. */
class BacklogAnswer {
  readonly messages: Promise<number | undefined>;
  /** In `performance.now()` milliseconds. */
  answeredAt = Infinity;

  constructor(session: SessionView) {
    this.messages = session.backlog().catch(() => undefined) // The link is gone: not known.
      .finally(() => this.answeredAt = performance.now());
  }
}
