/**
 * A replay is killed with -9 at any moment, and resumed until it is done: nothing lost, nothing doubled.
 * `REPLAY_SEED` chooses the moments; the title tells the seed.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { PermanentError } from "@ecomarket/shared/base/errors";
import { until } from "@ecomarket/shared/base/poll";
import { startTestBroker, type TestBroker } from "@ecomarket/testbed/broker/test_broker";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { archived } from "../support/archive.ts";
import { Bench, recordingConsumer } from "../support/bench.ts";
import {
  deadLettersJson,
  publishMany,
  startDeadLetters,
  untilArchived,
  verdicts,
} from "../support/dead_letters.ts";
import { eventually } from "../support/eventually.ts";
import { eventIds } from "../support/roles.ts";

let broker: TestBroker;
Deno.test.beforeAll(async () => {
  broker = await startTestBroker();
});
Deno.test.afterAll(async () => await broker[Symbol.asyncDispose]());

const SEED = Number(Deno.env.get("REPLAY_SEED") ?? 1);
const KILLS = 50;
const LETTERS = 3_000;
/** Slow enough that it is never done before the last kill. */
const RATE = "100";
/** From a start that has hardly begun to a replay that is well under way. */
const MAX_LIFE_MS = 800;
/** Each so-manieth is killed as soon as messages are under way, which is rarely hit by chance. */
const AIMED_EACH = 5;

/** Resolves once the archive says that messages may have been sent, and none of them is confirmed. */
async function untilSending(bench: Bench): Promise<void> {
  const sql = "SELECT 1 FROM operation_items WHERE state = 'sending' LIMIT 1";
  const directory = join(bench.directory, "dead_letters");
  const left = readStore(directory, (db) => db.prepare(sql).get());
  const isSending = () => readStore(directory, (db) => db.prepare(sql).get()) !== undefined;
  // n.b. what an earlier kill has left in doubt is settled first.
  if (left) await until("the settlement of what is in doubt", () => !isSending(), FAST);
  await until("messages under way", isSending, FAST);
}

const FAST = { intervalMs: 1 };

Deno.test(`a replay killed with -9 at ${KILLS} random points loses and doubles nothing (seed ${SEED})`, async () => {
  await using bench = await Bench.open(broker);
  let isMended = false;
  // Of each ten, one fails again: its dead letter must be there once as well.
  const consumer = recordingConsumer((user) => {
    if (!isMended || user.endsWith("7")) throw new PermanentError("the template is missing");
  });
  await using _email = bench.run(consumer, { prefetch: 100 });
  await using _archive = bench.run(deadLetterConsumer, { prefetch: 100 });
  publishMany(bench, LETTERS);
  await untilArchived(bench, LETTERS);
  isMended = true;

  const lives = fc.sample(fc.integer({ min: 0, max: MAX_LIFE_MS }), { numRuns: KILLS, seed: SEED });
  let inDoubt = 0;
  let operation: string | undefined;
  for (const [n, lifeMs] of lives.entries()) {
    const child = startDeadLetters(
      bench,
      ...(operation === undefined
        ? ["replay", "--all", "--yes"]
        : ["operations", "resume", operation]),
      ...["--rate", RATE],
    );
    if (n % AIMED_EACH === AIMED_EACH - 1) await untilSending(bench);
    else await delay(lifeMs);
    child.kill("SIGKILL");
    assert.equal((await child.output()).signal, "SIGKILL", "it was killed before it was done");
    const operations = await deadLettersJson(bench, ["operations"]);
    assert.ok(operations.length <= 1, "it is always the same one that is resumed");
    operation = operations[0]?.id;
    inDoubt += operations[0]?.counts.sending ?? 0;
  }
  assert.ok(operation !== undefined, "some of them had begun");
  assert.ok(inDoubt > 0, "some of them were killed between the sending and its note");

  const done = await deadLettersJson(bench, ["operations", "resume", operation], 1);
  assert.equal(done.state, "done");
  const users = archived(bench).slice(0, LETTERS).map((row) => ({
    id: String(row.message_id),
    user: String(JSON.parse(new TextDecoder().decode(row.body as Uint8Array)).user_id),
  }));
  const bad = users.filter(({ user }) => user.endsWith("7")).map(({ id }) => id).sort();
  const good = users.filter(({ user }) => !user.endsWith("7")).map(({ id }) => id).sort();
  await eventually(async () => {
    assert.deepEqual(eventIds(bench, "email", "handled"), good);
    const { letters } = await deadLettersJson(bench, ["list", "--limit", String(LETTERS)]);
    const failed = letters.map(({ messageId }: { messageId: string }) => messageId).sort();
    assert.deepEqual(failed, bad, "each of the others is one dead letter");
    await bench.assertEmpty("email_queue", "dead_letter_queue");
  }, 60_000);
  const shown = await deadLettersJson(bench, ["operations", "show", operation]);
  const kinds = verdicts(shown);
  assert.equal(kinds.filter((kind) => kind === "handled").length, good.length);
  assert.equal(kinds.filter((kind) => kind === "failed-again").length, bad.length);
  assert.equal(consumer.handled.length, good.length, "the handler did each once");
});
