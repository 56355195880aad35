/**
 * What the naive consumers of this folder share: a connection, a table, and a place to be held up.
 *
 * DO NOT COPY anything from this folder: it is written the way that loses or doubles events, so that
 * the lessons can show it. How it is done well is in `shared/subscriber/subscriber.ts`.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Channel, connect, type ConsumeMessage } from "amqplib";
import { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import { failureAsked } from "@ecomarket/shared/contract/simulated_failure";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { print } from "@ecomarket/shared/process/main";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";

const [directory, pause] = Deno.args;
if (!directory) throw new Error("Usage: <naive consumer> FOLDER [--pause]");
Deno.mkdirSync(directory, { recursive: true });
const db = new DatabaseSync(join(directory, DATABASE_FILE));
db.exec("PRAGMA journal_mode = WAL");
db.exec("CREATE TABLE IF NOT EXISTS sent_emails (event_id TEXT NOT NULL, recipient TEXT NOT NULL)");

const connection = await connect(Deno.env.get("AMQP_URL")!);
connection.on("error", () => Deno.exit(1));
connection.on("close", () => Deno.exit(1));

/** The channel on which a naive consumer consumes. */
export const channel: Channel = await connection.createChannel();

/** The messages of `email_queue`, one after the other, as fast as they are handled. */
export async function* deliveries({ noAck }: { noAck: boolean }): AsyncGenerator<ConsumeMessage> {
  const arrived: ConsumeMessage[] = [];
  let onArrival = () => {};
  let count = 0;
  await channel.prefetch(1);
  await channel.consume(SUBSCRIBER_QUEUES.email, (message) => {
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

/** One line for each time that the lesson says to go on. */
const goOns = readLines(Deno.stdin.readable);

/** The effect: one more row in `sent_emails`. Takes as long as the lesson wants it to. */
export async function sendWelcomeEmail(message: ConsumeMessage): Promise<void> {
  const { event_id, email } = UsuarioCreado.decode(message);
  if (failureAsked(message.properties.headers?.[X_SIMULATE_FAILURES], "email", 1)) {
    throw new Error("the mail server refuses the address");
  }
  print(`handling ${event_id}`);
  if (pause) await goOns.next();
  db.prepare("INSERT INTO sent_emails VALUES (?, ?)").run(event_id, email);
  print(`done ${event_id}`);
}
