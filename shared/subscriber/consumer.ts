/** What turns a name, some tables and an effect into a running subscriber process. */
import { decode, type UsuarioCreado } from "../contract/event.ts";
import { X_SIMULATE_FAILURES } from "../contract/headers.ts";
import { failureAsked, simulateFailure } from "../contract/simulated_failure.ts";
import { subscriberSlice } from "../contract/topology.ts";
import { parseArguments } from "../process/args.ts";
import {
  amqpUrls,
  dataDir,
  logConfig,
  retryDelaysMs,
  subscriberConfig,
} from "../process/config.ts";
import { configureLog, roleLogger } from "../process/log.ts";
import { print, runCommand } from "../process/main.ts";
import { reportMemory } from "../process/memory_report.ts";
import type { Migrations } from "../store/sqlite.ts";
import { SqliteStore } from "../store/sqlite_store.ts";
import type { Effect } from "../store/store.ts";
import { runSubscriber } from "./subscriber.ts";
import type { HandlerContext, SubscriberSpec } from "./subscriber_spec.ts";

/** A subscriber that can be run as a process of its own. */
export interface Consumer<T> {
  /** Also the name of its data folder. */
  readonly name: string;
  /** The tables that its effects write to. `inbox` and `store_owner` are the store's own. */
  readonly migrations: Migrations;
  /** What it consumes and does, under this configuration. */
  spec(config: ConsumerConfig): SubscriberSpec<T>;
}

/** What the environment decides about every consumer. */
export interface ConsumerConfig {
  readonly retryDelaysMs: readonly number[];
  readonly simulateFailures: boolean;
}

/** A subscriber of `UsuarioCreado`, as its author writes it. */
export interface EventConsumerDefinition {
  readonly name: string;
  readonly queue: string;
  readonly migrations: Migrations;
  /** See {@link SubscriberSpec.handlerTimeoutMs}. */
  readonly handlerTimeoutMs?: number;
  /** See {@link SubscriberSpec.handle}. */
  handle(event: UsuarioCreado, context: HandlerContext): Promise<Effect> | Effect;
}

/** A consumer of `UsuarioCreado`. */
export type EventConsumer = Consumer<Signup>;

interface Signup {
  readonly event: UsuarioCreado;
  /** What the message asks of this subscriber's attempt number `attempt`. */
  failureAsked(attempt: number): "fail" | "crash" | undefined;
}

/**
 * A consumer of `UsuarioCreado` with its own queue, its own retries and its own store.
 *
 * ```ts
 * export const audit = eventConsumer({
 *   name: "audit",
 *   queue: "audit_queue",
 *   migrations: ["CREATE TABLE audit (event_id TEXT NOT NULL, user_id TEXT NOT NULL)"],
 *   handle: ({ event_id, user_id }) => [
 *     { sql: "INSERT INTO audit VALUES (?, ?)", params: [event_id, user_id] },
 *   ],
 * });
 * if (import.meta.main) await runConsumer(audit);
 * ```
 */
export function eventConsumer(definition: EventConsumerDefinition): EventConsumer {
  const { name, queue, migrations, handlerTimeoutMs } = definition;
  return {
    name,
    migrations,
    spec: ({ retryDelaysMs, simulateFailures }) => ({
      name,
      queue,
      topology: subscriberSlice(queue, retryDelaysMs),
      failure: { kind: "retry", delaysMs: retryDelaysMs },
      ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
      decode(message) {
        const { event, simulateFail } = decode(message);
        const header: unknown = message.properties.headers?.[X_SIMULATE_FAILURES];
        return {
          id: event.event_id,
          payload: {
            event,
            failureAsked: (attempt) => simulateFail ? "fail" : failureAsked(header, name, attempt),
          },
        };
      },
      handle({ event, failureAsked }, context) {
        const asked = simulateFailures ? failureAsked(context.attempt) : undefined;
        if (asked) simulateFailure(asked);
        return definition.handle(event, context);
      },
    }),
  };
}

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
    const spec = consumer.spec({ retryDelaysMs: retryDelaysMs(), simulateFailures });
    const urls = amqpUrls();
    using _memory = reportMemory(roleLogger(spec.name));
    const owner = { subscriber: consumer.name, queue: spec.queue };
    await using store = SqliteStore.open(dataDir(consumer.name), owner, consumer.migrations);
    await runSubscriber(spec, {
      urls,
      store,
      log: roleLogger(spec.name),
      prefetch,
      signal,
    });
  });
}

const USAGE = `
Usage: deno task consumer:email (or :loyalty, :analytics, :dead-letter)

Consumes until Ctrl+C, then finishes what is in flight. Configured by the environment: AMQP_URL,
DATA_DIR, PREFETCH, FAST_RETRY, RETRY_DELAYS_MS, SIMULATE_FAILURES, LOG_FORMAT, LOG_LEVEL, LOG_EMAILS,
and SMTP_URL for email.
`;
