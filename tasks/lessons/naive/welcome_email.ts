/** What the naive consumers of `email_queue` do with an event, and a place to be held up at it. */
import type { ConsumeMessage } from "amqplib";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import { failureAsked } from "@ecomarket/shared/contract/simulated_failure";
import { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { print } from "@ecomarket/shared/process/main";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { db } from "./naive_consumer.ts";

db.exec("CREATE TABLE IF NOT EXISTS sent_emails (event_id TEXT NOT NULL, recipient TEXT NOT NULL)");

const pause = Deno.args.includes("--pause");
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
