/** `deno task setup-queues --migrate`: a queue with other arguments is replaced, and nothing is lost. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { vhostOf } from "@ecomarket/shared/broker/management";
import { readFailure } from "@ecomarket/shared/contract/headers";
import { DEAD_LETTER_EXCHANGE, DEAD_LETTER_QUEUE } from "@ecomarket/shared/contract/topology";
import { nestedArrays, UNDECODABLE_DEPTH } from "@ecomarket/testbed/broker/nested_headers";
import { RawAmqp } from "@ecomarket/testbed/broker/raw_amqp";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import {
  assertMigrated,
  declareOtherwise,
  ids,
  publishConfirmed,
  wantedArguments,
} from "../support/migration.ts";
import { setupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();

const QUEUE = "email_queue";
/** What earlier versions declared. */
const OLD_ARCHIVE = { "x-queue-type": "quorum" };

Deno.test("setup-queues --migrate moves every message into the new queue, as it was", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, QUEUE, { ...wantedArguments(QUEUE), "x-delivery-limit": 7 });
  await bench.channel.bindQueue(QUEUE, "amq.topic", "de.otros");
  const publisher = await bench.connection.createConfirmChannel();
  const published = Array.from({ length: 50 }, (_, n) => `m-${String(n).padStart(2, "0")}`);
  for (const [n, id] of published.entries()) {
    const headers = n % 2 === 0 ? { "x-retries": 2, "x-propio": "ñ" } : {};
    await publishConfirmed(publisher, id, { headers, type: "Otro", correlationId: `c-${n}` });
  }
  const { code, stdout, stderr } = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^email_queue: its x-delivery-limit is 7, 3 was wanted\n/);
  assert.match(stderr, /email_queue: stands as it should, 50 message\(s\) brought back\n$/);
  assert.match(stdout, /bindings stand\.\n$/);

  await assertMigrated(broker, bench);
  bench.channel.publish("amq.topic", "de.otros", Buffer.from("x"), { messageId: "otros" });
  await eventually(async () => assert.equal(await bench.depth(QUEUE), 51));
  const messages = await bench.drain(QUEUE);
  assert.deepEqual(ids(messages), [...published, "otros"].sort());
  const { content, properties } = messages.find(({ properties }) =>
    properties.messageId === "m-02"
  )!;
  assert.equal(content.toString(), "cuerpo de m-02");
  const { "x-retries": retries, "x-propio": own } = properties.headers!;
  assert.deepEqual([retries, own], [2, "ñ"]);
  assert.equal(properties.type, "Otro");
  assert.equal(properties.correlationId, "c-2");
  assert.equal(await bench.depth("loyalty_queue"), 50, "nobody else notices");
});

Deno.test("setup-queues --migrate keeps what the broker and the subscribers say of a dead letter", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, DEAD_LETTER_QUEUE, OLD_ARCHIVE);
  bench.publishRaw("caduca", { messageId: "caducado", expiration: "1" });
  const ours = { "x-failure-reason": "permanent-error", "x-origin-queue": "email_queue" };
  bench.publishRaw("propio", { messageId: "propio", headers: ours }, DEAD_LETTER_EXCHANGE);
  await eventually(async () => assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 4));
  const { code, stderr } = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(code, 0, stderr);

  await assertMigrated(broker, bench);
  await eventually(async () => assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 4));
  const letters = await bench.drain(DEAD_LETTER_QUEUE);
  const told = letters.map(({ properties }) => {
    const { originQueue, reason } = readFailure(properties.headers);
    return `${properties.messageId} ${originQueue} ${reason}`;
  });
  assert.deepEqual(told.sort(), [
    "caducado analytics_queue expired",
    "caducado email_queue expired",
    "caducado loyalty_queue expired",
    "propio email_queue permanent-error",
  ]);
  assert.ok(letters.every(({ properties }) => !("x-death" in properties.headers!)));
});

Deno.test("setup-queues --migrate replaces a classic queue of an older script", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, QUEUE, {});
  const publisher = await bench.connection.createConfirmChannel();
  await publishConfirmed(publisher, "de antes");
  const { code, stderr } = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(code, 0, stderr);
  await assertMigrated(broker, bench);
  assert.deepEqual(ids(await bench.drain(QUEUE)), ["de antes"]);
});

Deno.test("setup-queues --migrate refuses while the queue is consumed, says by whom, and changes nothing", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, "loyalty_queue", { "x-queue-type": "quorum" });
  await declareOtherwise(bench, "dead_letter_queue.parked", { "x-queue-type": "quorum" });
  const consumer = recordingConsumer(() => {}, { name: "loyalty", queue: "loyalty_queue" });
  await assert.rejects(bench.run(consumer).done, /deno task setup-queues --migrate$/);
  await bench.channel.consume("loyalty_queue", () => {});
  const { code, stdout, stderr } = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /error: Cannot replace queues that are consumed: "loyalty_queue" \(.+\)\. Nothing was changed\. Stop these consumers, then run this again: deno task setup-queues --migrate\n$/,
  );
  await eventually(async () => {
    const check = await setupQueues(broker, bench.amqpUrl, ["--check"]);
    assert.match(check.stderr, /"dead_letter_queue\.parked" stands otherwise/);
    assert.doesNotMatch(check.stderr, /migrating/);
  });
});

Deno.test("setup-queues --migrate gives up at a message that it cannot decode, loses nothing, and goes on once it is gone", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, DEAD_LETTER_QUEUE, OLD_ARCHIVE);
  using raw = await RawAmqp.connect(bench.amqpUrl);
  const headers = nestedArrays(UNDECODABLE_DEPTH);
  await raw.publish(DEAD_LETTER_EXCHANGE, { headers }, Buffer.from("{}"));
  bench.publishRaw("antes", { messageId: "antes" }, DEAD_LETTER_EXCHANGE);
  await eventually(async () => assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 2));

  const stuck = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(stuck.code, 1);
  assert.match(
    stuck.stderr,
    /error: Cannot move the messages of "dead_letter_queue": .*--migrate\n$/,
  );
  bench.publishRaw("durante", { messageId: "durante" }, DEAD_LETTER_EXCHANGE);
  await eventually(async () => {
    assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 2);
    assert.equal(await bench.depth("dead_letter_queue.migrating"), 1);
  });
  const plain = await setupQueues(broker, bench.amqpUrl);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /"dead_letter_queue" stands with other arguments/);

  await takeFirst(bench, DEAD_LETTER_QUEUE);
  const { code, stderr } = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(code, 0, stderr);
  await assertMigrated(broker, bench);
  assert.deepEqual(ids(await bench.drain(DEAD_LETTER_QUEUE)), ["antes", "durante"]);
});

/** As a person does in the management UI: it takes the message out, and shows it. */
async function takeFirst(bench: Bench, queue: string): Promise<void> {
  const { origin, username, password } = new URL(broker.managementUrl);
  const vhost = encodeURIComponent(vhostOf(bench.amqpUrl));
  const response = await fetch(`${origin}/api/queues/${vhost}/${queue}/get`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    body: JSON.stringify({ count: 1, ackmode: "ack_requeue_false", encoding: "auto" }),
  });
  assert.equal(response.status, 200);
  await response.body?.cancel();
}

Deno.test("setup-queues --migrate waits for no other migration, and says that one runs", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.assertQueue("setup-queues.migrating", { durable: false, exclusive: true });
  const { code, stdout, stderr } = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^error: Another migration runs, .* deno task setup-queues --migrate\n$/);
});

Deno.test("setup-queues says that a migration was ended on its way, and what finishes it", async () => {
  await using bench = await Bench.open(broker);
  const standIn = "email_queue.migrating";
  await bench.channel.assertQueue(standIn, {
    arguments: { "x-queue-type": "quorum", "x-delivery-limit": 1_000_000 },
  });
  const { code, stderr } = await setupQueues(broker, bench.amqpUrl);
  assert.equal(code, 1);
  assert.match(stderr, /^error: A migration of "email_queue" was ended on its way, .*--migrate\n$/);
  await eventually(async () => {
    const check = await setupQueues(broker, bench.amqpUrl, ["--check"]);
    assert.match(check.stderr, /^A migration of "email_queue" was ended on its way/);
  });
  assert.equal((await setupQueues(broker, bench.amqpUrl, ["--migrate"])).code, 0);
  await assertMigrated(broker, bench);
});
