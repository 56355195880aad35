/**
 * A subscriber as a process that notes when each effect was committed: with the loop, or by hand with
 * plain amqplib and a transaction for each event. Both log a line for each event. When it is told to
 * stop it writes `times.json` into its folder: the ids, and milliseconds since 1970.
 */
import { connect } from "amqplib";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { aborted } from "@ecomarket/shared/base/abort";
import { UsageError } from "@ecomarket/shared/base/errors";
import {
  dataDir,
  logConfig,
  roleAmqpUrls,
  subscriberConfig,
} from "@ecomarket/shared/process/config";
import { DEFAULT_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { printError, runCommand } from "@ecomarket/shared/process/main";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Effect, Store } from "@ecomarket/shared/store/store";
import { eventConsumer } from "@ecomarket/shared/subscriber";
import { runSubscriber } from "@ecomarket/shared/subscriber/subscriber";
import { MIGRATIONS, openByHand, signupRow, writeByHand } from "./effect.ts";

/** When the effects were committed. */
class Times {
  readonly #entries: [string, number][] = [];

  note(eventId: string): void {
    this.#entries.push([eventId, performance.timeOrigin + performance.now()]);
  }

  async write(folder: string): Promise<void> {
    await Deno.writeTextFile(`${folder}/times.json`, JSON.stringify(this.#entries));
  }
}

/** `store`, which notes each commit once it is on the disk. */
function timed(store: Store, times: Times): Store {
  return {
    has: (id) => store.has(id),
    async commit(id: string, effect: Effect) {
      const result = await store.commit(id, effect);
      times.note(id);
      return result;
    },
    checkWritable: () => store.checkWritable(),
    notePause: (pause) => store.notePause(pause),
    forget: (...part) => store.forget(...part),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

async function withLoop(queue: string, folder: string, signal: AbortSignal): Promise<void> {
  const times = new Times();
  const consumer = eventConsumer({
    name: "bench",
    queue,
    migrations: MIGRATIONS,
    on: {
      UsuarioCreado(event, { log }) {
        log.info("One more signup of {user_id}", { user_id: event.user_id });
        return [signupRow(event)];
      },
    },
  });
  await using store = SqliteStore.open(folder, { subscriber: "bench", queue }, MIGRATIONS);
  await runSubscriber(consumer.spec(DEFAULT_RETRY_DELAYS_MS), {
    urls: roleAmqpUrls("bench"),
    store: timed(store, times),
    log: roleLogger("bench"),
    prefetch: subscriberConfig().prefetch,
    signal,
  });
  await times.write(folder);
}

async function byHand(queue: string, folder: string, signal: AbortSignal): Promise<void> {
  const times = new Times();
  const db = openByHand(folder, queue);
  const connection = await connect(roleAmqpUrls("bench")[0]!);
  const channel = await connection.createChannel();
  await channel.prefetch(subscriberConfig().prefetch);
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) return;
    const event: UsuarioCreado = JSON.parse(message.content.toString("utf8"));
    printError(`One more signup of ${event.user_id}`);
    db.statement("BEGIN IMMEDIATE").run();
    writeByHand(db, event);
    db.statement("COMMIT").run();
    times.note(event.event_id);
    channel.ack(message);
  });
  printError(`Waiting for messages in ${queue}`);
  await aborted(signal);
  await channel.cancel(consumerTag); // Answered behind all that was delivered, so that is done by then.
  await channel.close();
  await connection.close();
  db.close();
  await times.write(folder);
}

if (import.meta.main) {
  await runCommand("", async ({ args: [kind, queue], signal }) => {
    await configureLog(logConfig());
    if (queue === undefined) throw new UsageError("which queue?");
    const run = kind === "loop" ? withLoop : byHand;
    await run(queue, dataDir("bench"), signal);
  });
}
