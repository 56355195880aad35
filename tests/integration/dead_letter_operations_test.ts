/** What `deno task dead-letters` decides outlives it: operations, their items, and tombstones. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { archived } from "../support/archive.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import {
  deadLetters,
  deadLettersJson,
  inArchive,
  mendable,
  publishDead,
  publishMany,
  startDeadLetters,
  untilArchived,
  verdicts,
} from "../support/dead_letters.ts";
import { eventually } from "../support/eventually.ts";
import { eventIds } from "../support/roles.ts";

const broker = brokerOfFile();

Deno.test("dead-letters resumes: what may have been sent is looked for before it is sent again", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, deliveries, mend } = mendable();
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
  const before = deliveries();

  const resumed = await deadLettersJson(bench, ["operations", "resume", id], 1);
  assert.deepEqual(verdicts(resumed), ["failed-again", "handled", "handled"]);
  assert.equal(deliveries(), before + 1, "only the third one was sent");
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

  const keep = ["discard", "--keep-size", "1MB", "--reason", "full"];
  const unasked = await deadLetters(bench, ...keep);
  assert.equal(unasked.code, 2);
  assert.match(
    unasked.stderr,
    /^error: 21 dead letter\(s\) would be given up for good\. Nothing was done\. To go on, add --yes\n$/,
  );
  assert.equal((await deadLettersJson(bench, ["operations"])).length, 0, "nothing was begun");
  const kept = await deadLettersJson(bench, [...keep, "--yes"]);
  assert.equal(kept.discarded, 21, "the oldest went, nine of 100 KB are left");
  assert.deepEqual(
    (await deadLettersJson(bench, ["list"])).letters.map(({ id }: { id: number }) => id),
    [22, 23, 24, 25, 26, 27, 28, 29, 30],
  );
  assert.ok(Deno.statSync(file).size < 1_300_000, `the file shrank: ${Deno.statSync(file).size}`);
  const young = ["discard", "--older-than", "1h", "--reason", "retention"];
  assert.deepEqual((await deadLettersJson(bench, young)).letters, [], "none is that old");
  const named = await deadLettersJson(bench, ["discard", "22", "--reason", "test"]);
  assert.equal(named.discarded, 1, "what is named by its id is not asked about");
  const rest = ["discard", "--older-than", "0s", "--reason", "test", "--yes"];
  assert.equal((await deadLettersJson(bench, rest)).discarded, 8);
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
  assert.deepEqual(verdicts(twin), ["handled"]);
  const resumed = await deadLettersJson(bench, ["operations", "resume", first.id, "--limit", "1"]);
  assert.equal(resumed.items[1].verdict.detail, `operation ${twin.id} has sent it since`);
  const aborted = await deadLettersJson(bench, ["operations", "abort", first.id]);
  assert.deepEqual(verdicts(aborted), ["handled", "skipped", "skipped"]);
  assert.equal(aborted.state, "aborted");
  for (const verb of ["resume", "abort"]) {
    const late = await deadLetters(bench, "operations", verb, first.id);
    assert.deepEqual([late.code, late.stdout], [1, ""]);
    assert.match(
      late.stderr,
      /^error: Operation \S+ was aborted at \S+Z: .* operations show \S+\n$/,
    );
    const done = await deadLetters(bench, "operations", verb, twin.id);
    assert.deepEqual([done.code, done.stdout], [1, ""]);
    assert.match(done.stderr, /^error: Operation \S+ is done: nothing of it is left\. /);
  }
  assert.equal(consumer.handled.length, 2);
  assert.match((await deadLetters(bench, "operations")).stdout, new RegExp(`${first.id} │ replay`));
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

Deno.test("dead-letters stops at Ctrl+C after the message under way, and says how to go on", async () => {
  await using bench = await Bench.open(broker);
  const { consumer, deliveries, mend } = mendable();
  await using _email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  const ids = publishMany(bench, 30);
  await untilArchived(bench, 30);
  mend();
  const child = startDeadLetters(bench, "replay", "--all", "--yes", "--rate", "2");
  await eventually(() => assert.ok(consumer.handled.length > 0));
  child.kill("SIGINT");
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stdout);
  assert.equal(code, 130);
  assert.match(new TextDecoder().decode(stderr), /^Stopping after the messages under way/);
  const [, id] = /\nGo on with: deno task dead-letters operations resume (\S+)\n$/.exec(said) ?? [];
  assert.ok(id !== undefined, said);
  const resumed = await deadLettersJson(bench, ["operations", "resume", id, "--rate", "1000"]);
  assert.deepEqual(new Set(verdicts(resumed)), new Set(["handled"]));
  assert.deepEqual(eventIds(bench, "email", "handled"), ids);
  assert.equal(deliveries(), 60, "none was sent twice");
});

Deno.test("dead-letters stops where the broker's answer is lost, and does not send again what was handled", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const { consumer, deliveries, mend } = mendable();
  await using _email = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);
  const ids = publishMany(bench, 20);
  await untilArchived(bench, 20);
  mend();
  const behind = { amqpUrl: proxy.urlFor(bench.amqpUrl), directory: bench.directory };
  const child = startDeadLetters(behind, "replay", "--all", "--yes", "--rate", "5");
  await eventually(() => assert.ok(consumer.handled.length > 0));
  proxy.holdAnswers();
  await eventually(async () => {
    const [{ counts }] = await deadLettersJson(bench, ["operations"]);
    assert.equal(counts.sending, 1, "its confirm is held back");
    assert.equal(consumer.handled.length, counts.sent + 1, "and it is handled");
  });
  proxy.cut();
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /^Stopped: the broker did not confirm \(/);
  const said = new TextDecoder().decode(stdout);
  assert.match(said, /\n1 of them may have been sent: no confirm was noted\n/);
  const [, id] = /operations resume (\S+)\n$/.exec(said) ?? [];
  assert.ok(id !== undefined, said);
  const resumed = await deadLettersJson(bench, ["operations", "resume", id, "--rate", "1000"]);
  assert.deepEqual(new Set(verdicts(resumed)), new Set(["handled"]));
  assert.deepEqual(eventIds(bench, "email", "handled"), ids);
  await bench.assertEmpty("email_queue", "dead_letter_queue");
  assert.equal(deliveries(), 40, "none was sent twice");
});
