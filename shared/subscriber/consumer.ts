/** What turns a name, some tables and an effect into a running subscriber process. */
import { ConfigError, InvalidMessageError } from "../base/errors.ts";
import {
  type AnyEvent,
  decode,
  EVENT_TYPES,
  EVENTS,
  type EventsByType,
  type EventType,
} from "../contract/catalogue.ts";
import { checkedNativeRetry, nativeDelaysMs, type NativeRetry } from "../contract/native_retry.ts";
import {
  checkedOrdered,
  checkedOrderedDelays,
  type Ordered,
  partitionQueues,
} from "../contract/partitions.ts";
import { subscriberSlice } from "../contract/topology.ts";
import { parseArguments } from "../process/args.ts";
import {
  healthPort,
  inboxRetentionDays,
  logConfig,
  retryDelaysMs,
  roleAmqpUrls,
  subscriberConfig,
} from "../process/config.ts";
import { configureLog, type Logger, roleLogger } from "../process/log.ts";
import { print, runCommand } from "../process/main.ts";
import { reportMemory } from "../process/memory_report.ts";
import { openStore } from "../store/open_store.ts";
import type { Effect, StoreMigrations } from "../store/store.ts";
import { keepInboxShort } from "./inbox_retention.ts";
import { NOBODY } from "./observer.ts";
import { withSimulatedFailures } from "./simulated_failures.ts";
import { runSubscriber } from "./subscriber.ts";
import type { SubscriberHealth } from "./subscriber_health.ts";
import type { Dependency, HandlerContext, SubscriberSpec } from "./subscriber_spec.ts";

/** A subscriber that can be run as a process of its own. */
export interface Consumer<T> {
  /** Also the name of its data folder. */
  readonly name: string;
  /** The tables that its effects write to. `inbox` and `store_owner` are the store's own. */
  readonly migrations: StoreMigrations;
  /** What it consumes and does, retrying after these delays. */
  spec(retryDelaysMs: readonly number[]): SubscriberSpec<T>;
}

/** What a subscriber does with each event that it wants: the names of what it wants are the keys. */
export type EventHandlers = {
  readonly [T in EventType]?: (
    event: EventsByType[T],
    context: HandlerContext,
  ) => Promise<Effect> | Effect;
};

/** A subscriber of events, as its author writes it. */
export interface EventConsumerDefinition {
  /** Also the name of its data folder: no other subscriber's. */
  readonly name: string;
  /** Its own queue, declared when it starts. */
  readonly queue: string;
  /** The tables that its effects write to. `inbox` and `store_owner` are the store's own. */
  readonly migrations: StoreMigrations;
  /** See {@link SubscriberSpec.handlerTimeoutMs}. */
  readonly handlerTimeoutMs?: number;
  /**
   * What the handlers cannot work without, if it is elsewhere: while it is away, the queue waits, and
   * no event is retried or dead-lettered for it. See {@link Dependency}.
   */
  readonly dependency?: Dependency | undefined;
  /**
   * Retries that the broker delays: RabbitMQ 4.3 and later, refused on any other. n.b. a workshop
   * subscriber's has to stand in `SUBSCRIPTIONS` of `shared/contract/topology.ts` as well, for
   * `setup-queues`. @default retry queues, with the delays of `RETRY_DELAYS_MS`
   */
  readonly retry?: NativeRetry | undefined;
  /**
   * The events of one user one after the other, in the order in which the broker took them, also over
   * retries, deaths and several instances. An event that is retried holds up its partition meanwhile.
   * n.b. the number of partitions cannot change while anything waits: see docs/decisions/0013.
   * @default no order
   */
  readonly ordered?: Ordered | undefined;
  /** See {@link SubscriberSpec.handle}. Its queue is bound to the exchange of each of these events. */
  readonly on: EventHandlers;
}

/** A consumer of events. */
export type EventConsumer = Consumer<AnyEvent>;

/**
 * A consumer with its own queue, its own retries, its own store and one inbox for all of its events.
 *
 * ```ts
 * export const audit = eventConsumer({
 *   name: "audit",
 *   queue: "audit_queue",
 *   migrations: ["CREATE TABLE audit (event_id TEXT NOT NULL, user_id TEXT NOT NULL)"],
 *   on: {
 *     UsuarioCreado: ({ event_id, user_id }) => [
 *       { sql: "INSERT INTO audit VALUES (?, ?)", params: [event_id, user_id] },
 *     ],
 *   },
 * });
 * if (import.meta.main) await runConsumer(audit);
 * ```
 */
export function eventConsumer(definition: EventConsumerDefinition): EventConsumer {
  const { name, queue, migrations, handlerTimeoutMs, dependency, on } = definition;
  const retry = definition.retry && checkedNativeRetry(definition.retry);
  const ordered = definition.ordered && checkedOrdered(definition.ordered);
  if (retry && ordered) {
    throw new ConfigError(
      `${name}: retry and ordered exclude each other: what waits would be overtaken`,
    );
  }
  const types = EVENT_TYPES.filter((type) => on[type] !== undefined);
  const exchanges = types.map((type) => EVENTS[type].exchange);
  return {
    name,
    migrations,
    spec: (retryDelaysMs) => ({
      name,
      queue,
      partitions: ordered && partitionQueues(queue, ordered),
      topology: subscriberSlice({ queue, exchanges, retry, ordered }, retryDelaysMs),
      failure: ordered
        ? { kind: "ordered", delaysMs: checkedOrderedDelays(retryDelaysMs) }
        : retry
        ? { kind: "native", delaysMs: nativeDelaysMs(retry) }
        : { kind: "retry", delaysMs: retryDelaysMs },
      ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
      dependency,
      decode(message) {
        const event = decode(message, types);
        return { id: event.event_id, payload: event };
      },
      handle(event, context) {
        const handle = on[event.event_type] as Handler | undefined;
        if (!handle) throw new InvalidMessageError(`${name} does not handle ${event.event_type}`);
        return handle(event, context);
      },
    }),
  };
}

/** n.b. which event a handler takes is told by the key that it stands under. */
type Handler = (event: AnyEvent, context: HandlerContext) => Promise<Effect> | Effect;

/**
 * Runs a consumer as this process until SIGINT or SIGTERM, configured by the environment. One that
 * the environment decides about is given as a function, so that what is wrong with it is told as any
 * other mistake.
 */
export function runConsumer<T>(
  given: Consumer<T> | (() => Consumer<T> | Promise<Consumer<T>>),
): Promise<never> {
  return runCommand(USAGE, async ({ args, signal }) => {
    if (parseArguments(args, {}).values.help) return print(USAGE.trim());
    await configureLog(logConfig());
    const consumer = typeof given === "function" ? await given() : given;
    const { prefetch, simulateFailures } = subscriberConfig();
    const spec = consumer.spec(retryDelaysMs());
    const urls = roleAmqpUrls(spec.name);
    const port = healthPort();
    const log = roleLogger(spec.name);
    await using health = port === undefined ? undefined : await serveHealth(spec, port, log);
    using _memory = reportMemory(log);
    const owner = { subscriber: consumer.name, queue: spec.queue };
    await using store = await openStore(owner, consumer.migrations, { log, signal });
    using _retention = keepInboxShort(store, inboxRetentionDays(), log);
    const observer = health?.observer ?? NOBODY;
    const options = { urls, store, log, prefetch, observer, signal };
    await (simulateFailures
      ? runSubscriber(withSimulatedFailures(spec), options)
      : runSubscriber(spec, options));
  });
}

async function serveHealth<T>(
  spec: SubscriberSpec<T>,
  port: number,
  log: Logger,
): Promise<SubscriberHealth> {
  const { serveSubscriberHealth } = await import("./subscriber_health.ts");
  return await serveSubscriberHealth(spec, port, log);
}

const USAGE = `
Usage: deno task consumer:email (or :loyalty, :analytics, :dead-letter)

Consumes until Ctrl+C, then finishes what is in flight. Configured by the
environment: AMQP_URL, DATA_DIR, DATABASE_URL, INBOX_RETENTION_DAYS, PREFETCH,
FAST_RETRY, RETRY_DELAYS_MS, SIMULATE_FAILURES, LOG_FORMAT, LOG_LEVEL,
LOG_EMAILS, HEALTH_PORT (serves /healthz, /readyz and /metrics on the loopback),
and SMTP_URL for email.
`;
