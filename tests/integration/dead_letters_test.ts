/** `deno task dead-letters`, in its sandbox, beside consumers that run. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PermanentError } from "@ecomarket/shared/base/errors";
import { DEAD_LETTER_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { analytics } from "../../consumers/analytics.ts";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { archived } from "../support/archive.ts";
import { Bench, recordingConsumer } from "../support/bench.ts";
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

/** A consumer of `email_queue` that fails for good until it is mended. */
function mendable() {
  let isMended = false;
  const consumer = recordingConsumer((user) => {
    if (!isMended) throw new PermanentError(`the template of ${user} is missing`);
  });
  return { consumer, mend: () => void (isMended = true) };
}

/** `count` events, published with their own ids. */
function publishMany(bench: Bench, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const user = { user_id: `u-${n}`, nombre: "Ana", email: "ana@example.com" };
    const event = createUsuarioCreado(user);
    bench.publishRaw(event, { messageId: event.event_id });
    return event.event_id;
  }).sort();
}

/** Publishes a dead letter, as the broker or anybody else might. */
function publishDead(bench: Bench, body: unknown, headers: Record<string, unknown>): void {
  const content = Buffer.from(JSON.stringify(body));
  bench.channel.publish(DEAD_LETTER_EXCHANGE, "", content, { messageId: "m-1", headers });
}

/** Runs `sql` on the archive, as a process would have left it that was killed. */
function inArchive(bench: Bench, sql: string, ...params: (string | number)[]): void {
  using db = new DatabaseSync(join(bench.directory, "dead_letters", "store.sqlite"));
  db.prepare("PRAGMA busy_timeout = 5000").run();
  db.prepare(sql).run(...params);
}

const kinds = (report: { items: { verdict: { kind: string } }[] }) =>
  report.items.map(({ verdict }) => verdict.kind);

Deno.test("dead-letters replays a thousand of one group, ten of them first, at a rate, each once", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, mend } = mendable();
  await using _email = bench.run(consumer, { prefetch: 100 });
  await using _archive = bench.run(deadLetterConsumer, { prefetch: 100 });
  const ids = publishMany(bench, 1_000);
  await untilArchived(bench, 1_000);
  const [group, ...others] = await deadLettersJson(bench, ["groups"]);
  assert.equal(group.count, 1_000);
  assert.deepEqual(others, []);

  mend();
  const canary = await deadLettersJson(bench, [
    ...["replay", "--group", group.group, "--limit", "10", "--rate", "100", "--reason", "mended"],
  ]);
  assert.equal(canary.counts.sent, 10);
  assert.equal(canary.counts.pending, 990);
  assert.equal(canary.state, "unfinished");
  assert.equal(eventIds(bench, "email", "handled").length, 10);
  const [left] = await deadLettersJson(bench, ["groups"]);
  assert.equal(left.count, 990, "what was sent back is not counted");

  const rest = await deadLettersJson(bench, ["operations", "resume", canary.id, "--rate", "2000"]);
  assert.equal(rest.state, "done");
  assert.deepEqual(new Set(kinds(rest)), new Set(["handled"]));
  assert.deepEqual(eventIds(bench, "email", "handled"), ids);
  assert.equal(consumer.handled.length, 1_000, "none was sent twice");
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
  assert.deepEqual(kinds(again), ["handled"]);
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
  const { consumer, mend } = mendable();
  await using _email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  const [id] = publishMany(bench, 1);
  await untilArchived(bench, 1);
  mend();
  const patch = ["--patch", '{"user_id":"u-9"}'];
  assert.deepEqual(kinds(await deadLettersJson(bench, ["replay", "1", ...patch])), ["handled"]);
  assert.deepEqual(consumer.handled, ["u-9"]);

  const second = await deadLettersJson(bench, ["replay", "1", "--again", ...patch], 1);
  assert.match(second.items[0].verdict.detail, /nothing would happen: --new-id/);
  const plain = await deadLettersJson(bench, ["replay", "1", "--again"]);
  assert.deepEqual(kinds(plain), ["already-done"]);
  assert.deepEqual(consumer.handled, ["u-9"], "nothing was done twice");

  const asNew = await deadLettersJson(bench, ["replay", "1", "--again", "--new-id", ...patch]);
  assert.deepEqual(kinds(asNew), ["handled"]);
  assert.equal(eventIds(bench, "email", "handled").length, 2);
  assert.ok(eventIds(bench, "email", "handled").includes(id!));
  assert.ok(eventIds(bench, "email", "handled").includes(asNew.items[0].eventId));
  await bench.assertEmpty("email_queue", "dead_letter_queue");
});

Deno.test("dead-letters says of each message why it cannot be sent, and keeps it", async () => {
  await using bench = await Bench.open(broker);
  await using _archive = bench.run(deadLetterConsumer);
  const origin = (queue: string, id: string) => ({ "x-origin-queue": queue, "x-failure-id": id });
  publishDead(bench, {}, { "x-failure-id": "1" });
  publishDead(bench, {}, origin("deleted_queue", "2"));
  publishDead(bench, {}, origin(`${"ñ".repeat(200)}`, "3"));
  publishDead(bench, {}, { "x-death": [{ queue: "email_queue", reason: "delivery_limit" }] });
  publishDead(bench, { nombre: "Ana" }, origin("email_queue", "5"));
  await untilArchived(bench, 5);
  const patched = ["replay", "--all", "--yes", "--patch", '{"email":"ana@example.com"}'];
  const { items } = await deadLettersJson(bench, patched, 1);
  assert.deepEqual(new Set(kinds({ items })), new Set(["refused"]));
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
  assert.deepEqual(kinds(sent), ["unknown"], "email has never run: there is no store to ask");
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

Deno.test("dead-letters resumes: what may have been sent is looked for before it is sent again", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, mend } = mendable();
  await using _email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  const ids = publishMany(bench, 3);
  await untilArchived(bench, 3);
  const idOf = (letter: number) => String(archived(bench)[letter - 1]!.message_id);
  const { id } = await deadLettersJson(bench, ["replay", "--all", "--yes", "--limit", "1"], 1);
  await untilArchived(bench, 4);
  // Killed between the broker's confirm and its note: 1 has failed again, 2 was handled, 3 not sent.
  const doubt =
    "UPDATE operation_items SET state = 'sending', event_id = ?, done_before = 0 WHERE letter = ?";
  for (const letter of [1, 2, 3]) inArchive(bench, doubt, idOf(letter), letter);
  mend();
  const second = archived(bench)[1]!;
  bench.channel.publish(
    "email_queue.retry",
    "email_queue",
    Buffer.from(second.body as Uint8Array),
    {
      messageId: idOf(2),
      headers: { "x-replay-id": `${id}/2` },
    },
  );
  await eventually(() => assert.equal(consumer.handled.length, 1));
  const attempts = consumer.attempts.length;

  const resumed = await deadLettersJson(bench, ["operations", "resume", id], 1);
  assert.deepEqual(kinds(resumed), ["failed-again", "handled", "handled"]);
  assert.equal(consumer.attempts.length, attempts + 1, "only the third one was sent");
  assert.deepEqual(eventIds(bench, "email", "handled"), ids.filter((it) => it !== idOf(1)));
  await bench.assertEmpty("email_queue", "dead_letter_queue");
});

Deno.test("dead-letters counts two dead letters of one replay as one, and believes no forged replay", async () => {
  await using bench = await Bench.open(broker);
  const { consumer } = mendable();
  await using email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  publishMany(bench, 1);
  await untilArchived(bench, 1);
  await email.stop();
  const { id } = await deadLettersJson(bench, ["replay", "1", "--no-wait"]);
  // Killed before its note, and resumed: the same message a second time.
  inArchive(bench, "UPDATE operation_items SET state = 'sending'");
  await deadLettersJson(bench, ["operations", "resume", id, "--no-wait"]);
  assert.equal(await bench.depth("email_queue"), 2);
  await using _later = bench.run(consumer);
  await untilArchived(bench, 3);
  const { total, letters } = await deadLettersJson(bench, ["list"]);
  assert.equal(total, 1, "one replay, one new dead letter");
  assert.equal(letters[0].id, 2);
  assert.match((await deadLetters(bench, "show", "2")).stdout, /dead letter 3 is of a second copy/);
  const copy = await deadLettersJson(bench, ["replay", "3"], 1);
  assert.match(copy.items[0].verdict.detail, /copy of dead letter 2: replay that one/);

  publishDead(bench, {}, { "x-replay-id": `${id}/1`, "x-origin-queue": "email_queue" });
  await eventually(async () => assert.equal((await deadLettersJson(bench, ["list"])).total, 2));
});

Deno.test("dead-letters discard keeps a tombstone, and neither body nor headers, anywhere in the file", async () => {
  await using bench = await Bench.open(broker);
  await using _archive = bench.run(deadLetterConsumer);
  const secret = "maria.secreta@example.com";
  const body = { email: secret, relleno: "x".repeat(100_000) };
  for (let n = 0; n < 30; n++) {
    publishDead(bench, body, { "x-origin-queue": "email_queue", "x-failure-message": secret });
  }
  await untilArchived(bench, 30);
  const file = join(bench.directory, "dead_letters", "store.sqlite");
  const noReason = await deadLetters(bench, "discard", "1");
  assert.equal(noReason.code, 2);
  assert.match(noReason.stderr, /^error: Discarding needs a reason/);

  const kept = await deadLettersJson(bench, ["discard", "--keep-size", "1MB", "--reason", "full"]);
  assert.equal(kept.discarded, 21, "the oldest went, nine of 100 KB are left");
  assert.deepEqual(
    (await deadLettersJson(bench, ["list"])).letters.map(({ id }: { id: number }) => id),
    [22, 23, 24, 25, 26, 27, 28, 29, 30],
  );
  assert.ok(Deno.statSync(file).size < 1_300_000, `the file shrank: ${Deno.statSync(file).size}`);
  const young = ["discard", "--older-than", "1h", "--reason", "retention"];
  assert.deepEqual((await deadLettersJson(bench, young)).letters, [], "none is that old");
  const all = await deadLettersJson(bench, ["discard", "--older-than", "0s", "--reason", "test"]);
  assert.equal(all.discarded, 9);
  for (const path of [file, `${file}-wal`]) {
    const bytes = Buffer.from(await Deno.readFile(path));
    assert.equal(bytes.includes(secret), false, `${path} holds none of it any more`);
  }
  const tombstone = archived(bench)[0]!;
  assert.equal(tombstone.message_id, "m-1");
  const shown = await deadLetters(bench, "show", "1");
  assert.match(shown.stdout, /discard \S+ by ana@portatil \(full\)/);
  assert.match(
    (await deadLetters(bench, "replay", "1")).stderr,
    /^error: Dead letter 1 was discarded/,
  );
  publishDead(bench, { una: "más" }, { "x-origin-queue": "email_queue" });
  await eventually(() => assert.equal(archived(bench).at(-1)!.id, 31), 10_000);
});

Deno.test("dead-letters aborts an operation: what is pending is not sent by it any more", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, mend } = mendable();
  await using _email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  publishMany(bench, 3);
  await untilArchived(bench, 3);
  mend();
  const first = await deadLettersJson(bench, ["replay", "--all", "--yes", "--limit", "1"]);
  const twin = await deadLettersJson(bench, ["replay", "2"]);
  assert.deepEqual(kinds(twin), ["handled"]);
  const resumed = await deadLettersJson(bench, ["operations", "resume", first.id, "--limit", "1"]);
  assert.equal(resumed.items[1].verdict.detail, `operation ${twin.id} has sent it since`);
  const aborted = await deadLettersJson(bench, ["operations", "abort", first.id]);
  assert.deepEqual(kinds(aborted), ["handled", "skipped", "skipped"]);
  assert.equal(aborted.state, "aborted");
  const late = await deadLetters(bench, "operations", "resume", first.id);
  assert.equal(late.code, 1);
  assert.match(late.stdout, /is aborted: nothing is left to do/);
  assert.equal(consumer.handled.length, 2);
  assert.match((await deadLetters(bench, "operations")).stdout, new RegExp(`${first.id} │ replay`));
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
  assert.match(all.stderr, /^error: 1 dead letter\(s\) are sent back\. .* add --yes\n$/);
  assert.deepEqual(await deadLettersJson(bench, ["operations"]), []);
});

Deno.test("dead-letters says that there is no archive, and that another process decides", async () => {
  await using bench = await Bench.open(broker);
  const none = await deadLetters(bench, "list");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^error: There is no archive .* deno task consumer:dead-letter\n$/);
  await using _archive = bench.run(deadLetterConsumer);
  publishDead(bench, {}, { "x-origin-queue": "email_queue" });
  await untilArchived(bench, 1);
  using lock = await Deno.open(join(bench.directory, "dead_letters", "lock"), {
    create: true,
    write: true,
  });
  await lock.lock(true);
  const busy = await deadLetters(bench, "replay", "1");
  assert.equal(busy.code, 1);
  assert.match(busy.stderr, /^error: Another process replays or discards/);
});
