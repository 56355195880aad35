/** Ours: the loop that every role runs in, with its store or with none. */
import { DEFAULT_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { roleLogger } from "@ecomarket/shared/process/log";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Effect, Forgotten, Store } from "@ecomarket/shared/store/store";
import { eventConsumer, type EventHandlers } from "@ecomarket/shared/subscriber";
import { NOBODY } from "@ecomarket/shared/subscriber/observer";
import { runSubscriber } from "@ecomarket/shared/subscriber/subscriber";
import { type DrainOptions, Stopwatch } from "./drain.ts";
import { MIGRATIONS, signupRow } from "./effect.ts";

/** The loop, an effect of nothing, and a store that keeps nothing. */
export async function drainWithLoop(options: DrainOptions): Promise<number> {
  return await drain(options, new NoStore(), () => []);
}

/** The loop with its inbox and the effect in SQLite: each event exactly once. */
export async function drainWithLoopAndStore(options: DrainOptions): Promise<number> {
  const owner = { subscriber: "bench", queue: options.queue };
  await using store = SqliteStore.open(options.folder, owner, MIGRATIONS);
  return await drain(options, store, (event) => [signupRow(event)]);
}

async function drain(
  { amqpUrl, queue, count, prefetch, signal }: DrainOptions,
  store: Store,
  handle: NonNullable<EventHandlers["UsuarioCreado"]>,
): Promise<number> {
  const stopwatch = new Stopwatch(count);
  const consumer = eventConsumer({
    name: "bench",
    queue,
    migrations: MIGRATIONS,
    on: {
      UsuarioCreado(event, context) {
        stopwatch.arrived();
        return handle(event, context);
      },
    },
  });
  const stop = new AbortController();
  const running = runSubscriber(consumer.spec(DEFAULT_RETRY_DELAYS_MS), {
    urls: [amqpUrl],
    store,
    log: roleLogger("bench"),
    prefetch,
    observer: { ...NOBODY, handled: () => stopwatch.settled() },
    signal: AbortSignal.any([stop.signal, signal]),
  });
  try {
    return await Promise.race([stopwatch.rate(signal), running.then(() => NaN)]);
  } finally {
    stop.abort();
    await running;
  }
}

/** Keeps nothing, and knows nothing. */
class NoStore implements Store {
  has(): Promise<boolean> {
    return Promise.resolve(false);
  }
  commit(_eventId: string, _effect: Effect): Promise<"committed"> {
    return Promise.resolve("committed");
  }
  checkWritable(): Promise<void> {
    return Promise.resolve();
  }
  notePause(): Promise<void> {
    return Promise.resolve();
  }
  forget(): Promise<Forgotten> {
    return Promise.resolve({ removed: 0, next: undefined });
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
