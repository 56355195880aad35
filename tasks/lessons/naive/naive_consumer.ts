/**
 * What the naive consumers of this folder share: a connection, a store, and deliveries.
 *
 * DO NOT COPY anything from this folder: it is written the way that loses, doubles or falsifies events, so that
 * the lessons can show it. How it is done well is in `shared/subscriber/subscriber.ts`.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Channel, connect, type ConsumeMessage } from "amqplib";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { print } from "@ecomarket/shared/process/main";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";

const [directory] = Deno.args;
if (!directory) throw new Error("Usage: <naive consumer> FOLDER [--pause]");
Deno.mkdirSync(directory, { recursive: true });
/** Its store. */
export const db: DatabaseSync = new DatabaseSync(join(directory, DATABASE_FILE));
db.exec("PRAGMA journal_mode = WAL");

const connection = await connect(Deno.env.get("AMQP_URL")!);
connection.on("error", () => Deno.exit(1));
connection.on("close", () => Deno.exit(1));

/** The channel on which a naive consumer consumes. */
export const channel: Channel = await connection.createChannel();

/** What is consumed, and how. */
export interface DeliveriesOptions {
  readonly noAck: boolean;
  /** @default "email_queue" */
  readonly queue?: string;
}

/** The messages of the queue, one after the other, as fast as they are handled. */
export async function* deliveries(
  { noAck, queue = SUBSCRIBER_QUEUES.email }: DeliveriesOptions,
): AsyncGenerator<ConsumeMessage> {
  const arrived: ConsumeMessage[] = [];
  let onArrival = () => {};
  let count = 0;
  await channel.prefetch(1);
  await channel.consume(queue, (message) => {
    if (!message) return;
    arrived.push(message);
    print(`delivery ${++count}`);
    onArrival();
  }, { noAck });
  for (;;) {
    const message = arrived.shift();
    if (message) yield message;
    else await new Promise<void>((resolve) => onArrival = resolve);
  }
}
