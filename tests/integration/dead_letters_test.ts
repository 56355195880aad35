/** `deno task dead-letters` in its sandbox, beside consumers that run: seen, and sent back. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { PermanentError } from "@ecomarket/shared/base/errors";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { analytics } from "../../consumers/analytics.ts";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { archived } from "../support/archive.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import {
  deadLetters,
  deadLettersJson,
  mendable,
  publishDead,
  publishMany,
  untilArchived,
  verdicts,
} from "../support/dead_letters.ts";
import { eventIds } from "../support/roles.ts";

const broker = brokerOfFile();

/** Publishes an event whose email nobody can send to, as a foreign publisher would. */
function publishBad(bench: Bench): UsuarioCreado {
  const valid = createUsuarioCreado({ nombre: "Juan", email: "juan@example.com" });
  const event = { ...valid, email: "juan sin arroba" };
  bench.publishRaw(event, { messageId: event.event_id, headers: { "x-mine": "kept" } });
  return event;
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

  for (const verb of [["list"], ["groups"], ["replay", "--all"]]) {
    const unknown = await deadLetters(bench, ...verb, "--subscriber", "nosuch");
    assert.deepEqual([unknown.code, unknown.stdout], [2, ""]);
    assert.match(
      unknown.stderr,
      /^error: --subscriber must be one of email, loyalty, analytics, email_queue, .*, got "nosuch"/,
    );
  }

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

Deno.test("dead-letters replays a thousand of one group, fifteen of them first, at a rate, each once", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, deliveries, mend } = mendable();
  await using _email = bench.run(consumer, { prefetch: 100 });
  await using _archive = bench.run(deadLetterConsumer, { prefetch: 100 });
  const ids = publishMany(bench, 1_000);
  await untilArchived(bench, 1_000);
  const [group, ...others] = await deadLettersJson(bench, ["groups"]);
  assert.equal(group.count, 1_000);
  assert.deepEqual(others, []);

  mend();
  const canary = await deadLettersJson(bench, [
    ...["replay", "--group", group.group, "--limit", "15", "--rate", "100", "--reason", "mended"],
  ]);
  assert.equal(canary.counts.sent, 15);
  assert.equal(canary.counts.pending, 985);
  assert.equal(canary.state, "unfinished");
  assert.equal(eventIds(bench, "email", "handled").length, 15);
  const [left] = await deadLettersJson(bench, ["groups"]);
  assert.equal(left.count, 985, "what was sent back is not counted");

  const rest = await deadLettersJson(bench, ["operations", "resume", canary.id, "--rate", "2000"]);
  assert.equal(rest.state, "done");
  assert.deepEqual(new Set(verdicts(rest)), new Set(["handled"]));
  assert.deepEqual(eventIds(bench, "email", "handled"), ids);
  assert.equal(deliveries(), 2_000, "none was sent twice");
  assert.equal(
    await bench.depth("loyalty_queue"),
    1_000,
    "the siblings have their own, and no more",
  );
  assert.equal(archived(bench).length, 1_000, "nothing is deleted, and nothing came back");
});

Deno.test("dead-letters tells of a replay that failed again by its new error, and takes a second edit", async () => {
  await using bench = await Bench.open(broker);
  const bodies: string[] = [];
  const email = emailConsumer({
    transport: "simulated",
    send(message) {
      bodies.push(message.to.address);
      const isRefused = message.to.address === "lleno@example.com";
      return isRefused ? Promise.reject(new PermanentError("mailbox full")) : Promise.resolve();
    },
  });
  await using _email = bench.run(email);
  await using _archive = bench.run(deadLetterConsumer);
  const { event_id } = publishBad(bench);
  await untilArchived(bench, 1);

  const first = ["replay", "1", "--patch", '{"email":"lleno@example.com","nombre":"Ana"}'];
  const failed = await deadLettersJson(bench, first, 1);
  assert.deepEqual(failed.items[0].verdict, {
    kind: "failed-again",
    failure: { letter: 2, reason: "permanent-error", message: "mailbox full" },
  });
  const shown = await deadLetters(bench, "show", "1");
  assert.match(
    shown.stdout.replaceAll(/\s+/g, " "),
    /failed again: dead letter 2, permanent-error: mailbox full/,
  );
  assert.match(
    (await deadLetters(bench, "show", "2")).stdout,
    /sent back before, as dead letter 1,/,
  );

  const edit = ["replay", "1", "--patch", '{"email":"juan@example.com"}'];
  const refused = await deadLetters(bench, ...edit);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: 1 was sent back before\. Nothing was done\. .*--again\n$/);
  const again = await deadLettersJson(bench, [...edit, "--again"]);
  assert.deepEqual(verdicts(again), ["handled"]);
  assert.deepEqual(bodies, ["lleno@example.com", "juan@example.com"], "no edit was ignored");
  assert.deepEqual(eventIds(bench, "email", "sent_emails"), [event_id]);
  await bench.assertEmpty("email_queue", "dead_letter_queue");
  const names = archived(bench).map((row) =>
    JSON.parse(new TextDecoder().decode(row.body as Uint8Array)).nombre
  );
  assert.deepEqual(names, ["Juan", "Ana"], "the archived body is what the second edit began with");
});

Deno.test("dead-letters sends an edited event alone: never twice, never the original beside it", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, deliveries, mend } = mendable();
  await using _email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  const [id] = publishMany(bench, 1);
  await untilArchived(bench, 1);
  mend();
  const patch = ["--patch", '{"user_id":"u-9"}'];
  assert.deepEqual(verdicts(await deadLettersJson(bench, ["replay", "1", ...patch])), ["handled"]);
  assert.deepEqual(consumer.handled, ["u-9"]);

  const second = await deadLettersJson(bench, ["replay", "1", "--again", ...patch], 1);
  assert.match(second.items[0].verdict.detail, /nothing would happen: --new-id/);
  const plain = await deadLettersJson(bench, ["replay", "1", "--again"]);
  assert.deepEqual(verdicts(plain), ["already-done"]);
  assert.deepEqual(consumer.handled, ["u-9"], "nothing was done twice");

  const asNew = await deadLettersJson(bench, ["replay", "1", "--again", "--new-id", ...patch]);
  assert.deepEqual(verdicts(asNew), ["handled"]);
  assert.equal(eventIds(bench, "email", "handled").length, 2);
  assert.equal(deliveries(), 4, "the original, the edited, the duplicate, the new one");
  assert.ok(eventIds(bench, "email", "handled").includes(id!));
  assert.ok(eventIds(bench, "email", "handled").includes(asNew.items[0].eventId));
  await bench.assertEmpty("email_queue", "dead_letter_queue");
});

Deno.test("dead-letters says of each message why it cannot be sent, and keeps it", async () => {
  await using bench = await Bench.open(broker);
  await using _archive = bench.run(deadLetterConsumer);
  const origin = (queue: string, id: string) => ({ "x-origin-queue": queue, "x-failure-id": id });
  const event = createUsuarioCreado({ nombre: "Ana", email: "ana@example.com" });
  publishDead(bench, event, { "x-failure-id": "1" });
  publishDead(bench, event, origin("deleted_queue", "2"));
  publishDead(bench, event, origin("ñ".repeat(200), "3"));
  publishDead(bench, event, { "x-death": [{ queue: "email_queue", reason: "delivery_limit" }] });
  publishDead(bench, { nombre: "Ana" }, origin("email_queue", "5"));
  await untilArchived(bench, 5);
  const patched = ["replay", "--all", "--yes", "--patch", '{"email":"ana@example.com"}'];
  const { items } = await deadLettersJson(bench, patched, 1);
  assert.deepEqual(new Set(verdicts({ items })), new Set(["refused"]));
  const details = items.map(({ detail }: { detail: string }) => detail).sort();
  assert.match(details[0], /^its consumer died each time .* --poison$/);
  assert.match(details[1], /^nobody has said which queue it failed in/);
  assert.match(details[2], /^the queue "deleted_queue" is not on this broker/);
  assert.match(details[3], /^the queue "ñ+" is not on this broker/);
  assert.match(details[4], /^what would be sent is no event: .*user_id/);
  await bench.assertEmpty("email_queue", "dead_letter_queue");
  assert.equal((await deadLettersJson(bench, ["list"])).total, 5, "all of them wait as before");

  const poison = archived(bench).find((row) => row.reason === "delivery_limit")!;
  const sent = await deadLettersJson(bench, ["replay", String(poison.id), "--poison", "--no-wait"]);
  assert.deepEqual(verdicts(sent), ["unknown"], "email has never run: there is no store to ask");
  const { properties } = await bench.only("email_queue");
  assert.deepEqual({ ...properties.headers, "x-delivery-count": 0 }, {
    "x-delivery-count": 0, // The queue's own.
    "x-retries": 0,
    "x-replay-id": `${sent.id}/${poison.id}`,
  });
});

Deno.test("dead-letters sends back what was archived: its own properties, all retries, no failure", async () => {
  await using bench = await Bench.open(broker);
  const { consumer } = mendable();
  {
    await using _email = bench.run(consumer);
    await using _archive = bench.run(deadLetterConsumer);
    const event = createUsuarioCreado({ user_id: "u-1", nombre: "Ana", email: "ana@example.com" });
    bench.publishRaw(event, {
      messageId: event.event_id,
      correlationId: "c-1",
      expiration: "60000",
      headers: { "x-mine": "kept", "x-bytes": Buffer.from([0, 255]), "x-retries": 2 },
    });
    await untilArchived(bench, 1);
  }
  const { id } = await deadLettersJson(bench, ["replay", "1", "--no-wait"]);
  const { content, properties } = await bench.only("email_queue");
  assert.equal(properties.correlationId, "c-1");
  assert.equal(properties.expiration, undefined, "a waiting copy must not vanish");
  assert.equal(properties.deliveryMode, 2);
  assert.deepEqual({ ...properties.headers, "x-delivery-count": 0 }, {
    "x-delivery-count": 0, // The queue's own.
    "x-mine": "kept",
    "x-bytes": Buffer.from([0, 255]),
    "x-retries": 0,
    "x-replay-id": `${id}/1`,
  });
  assert.equal(properties.messageId, JSON.parse(content.toString()).event_id);
});

Deno.test("dead-letters changes nothing with --dry-run, and asks before all are sent", async () => {
  await using bench = await Bench.open(broker);
  await using _email = bench.run(emailConsumer(simulatedMailer));
  await using _archive = bench.run(deadLetterConsumer);
  publishBad(bench);
  await untilArchived(bench, 1);
  const dry = await deadLetters(
    { ...bench, amqpUrl: "amqp://127.0.0.1:1", directory: bench.directory },
    "replay",
    "1",
    "--dry-run",
  );
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^1: to email_queue, event \S+\n {2}it would fail again: email must be/);
  const all = await deadLetters(bench, "replay", "--all");
  assert.equal(all.code, 2);
  assert.match(all.stderr, /^error: 1 dead letter\(s\) would be sent back\. .* add --yes\n$/);
  assert.deepEqual(await deadLettersJson(bench, ["operations"]), []);
});
