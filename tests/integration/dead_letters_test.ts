/** `deno task dead-letters`, in its sandbox, beside consumers that run. */
import assert from "node:assert/strict";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { analytics } from "../../consumers/analytics.ts";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { archived } from "../support/archive.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { deadLetters, deadLettersJson } from "../support/dead_letters.ts";
import { eventually } from "../support/eventually.ts";
import { eventIds } from "../support/roles.ts";

const broker = brokerOfFile();

/** Publishes an event whose email nobody can send to, as a foreign publisher would. */
function publishBad(bench: Bench, email = "juan sin arroba", nombre = "Juan"): UsuarioCreado {
  const event = {
    ...createUsuarioCreado({ nombre, email: "juan@example.com" }),
    email,
  };
  bench.publishRaw(event, { messageId: event.event_id, headers: { "x-mine": "kept" } });
  return event;
}

async function untilArchived(bench: Bench, count: number): Promise<void> {
  await eventually(() => assert.equal(archived(bench).length, count), 30_000);
}

Deno.test("dead-letters groups, shows and replays a bad email with a patch, to email alone", async () => {
  await using bench = await Bench.open(broker);
  await using _email = bench.run(emailConsumer(simulatedMailer));
  await using _loyalty = bench.run(loyalty);
  await using _analytics = bench.run(analytics);
  await using _archive = bench.run(deadLetterConsumer);
  const { event_id } = publishBad(bench);
  await untilArchived(bench, 3);
  const [letter] = archived(bench).filter((row) => row.origin_queue === "email_queue");
  const id = String(letter!.id);

  const groups = await deadLettersJson(bench, ["groups", "--subscriber", "email"]);
  assert.equal(groups.length, 1);
  assert.equal(groups[0].count, 1);
  assert.equal(groups[0].reason, "invalid-message");
  assert.equal(groups[0].message, "email must be an email address such as <email>");

  const shown = await deadLetters(bench, "show", id);
  assert.match(shown.stdout, /\nerror +email must be an email address such as juan@example\.com\n/);
  assert.match(shown.stdout, /\ntoday +email must be an email address/);
  assert.match(shown.stdout, /\n {2}"email": "juan sin arroba"/);
  assert.match(shown.stdout, /\nx-mine: kept\n/);

  const patch = JSON.stringify({ email: "juan.perez@example.com" });
  const replayed = await deadLettersJson(bench, ["replay", id, "--patch", patch]);
  assert.deepEqual(replayed.items.map((item: { verdict: unknown }) => item.verdict), [
    { kind: "handled" },
  ]);
  assert.equal(replayed.who, "ana@portatil");
  assert.deepEqual(eventIds(bench, "email", "sent_emails"), [event_id]);
  assert.deepEqual(eventIds(bench, "loyalty", "points_ledger"), []);
  assert.deepEqual(eventIds(bench, "analytics", "signups"), []);
  await bench.assertEmpty("email_queue", "loyalty_queue", "analytics_queue", "dead_letter_queue");
  assert.equal(archived(bench).length, 3, "nothing came back");
  assert.equal(
    new TextDecoder().decode(archived(bench)[0]!.body as Uint8Array).includes("sin arroba"),
    true,
    "the archived one is as it was",
  );
});
