/** `deno task setup-queues --migrate`: a queue with other arguments is replaced, and nothing is lost. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ConfirmChannel, GetMessage, Options } from "amqplib";
import { ManagementClient, readTopology, vhostOf } from "@ecomarket/shared/broker/management";
import { readFailure } from "@ecomarket/shared/contract/headers";
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  fullTopology,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { nestedArrays, UNDECODABLE_DEPTH } from "@ecomarket/testbed/broker/nested_headers";
import { RawAmqp } from "@ecomarket/testbed/broker/raw_amqp";
import { Bench, recordingConsumer, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { setupQueues, startSetupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();

const QUEUE = "email_queue";
/** What earlier versions declared. */
const OLD_ARCHIVE = { "x-queue-type": "quorum" };

function wantedArguments(name: string): Record<string, unknown> {
  const { queues } = fullTopology(TEST_DELAYS_MS);
  return { ...queues.find((queue) => queue.name === name)!.arguments };
}

/** Replaces a queue of the bench by one with these arguments, bound as it was. */
async function declareOtherwise(
  bench: Bench,
  name: string,
  args: Record<string, unknown>,
): Promise<void> {
  await bench.channel.deleteQueue(name);
  await bench.channel.assertQueue(name, { durable: true, arguments: args });
  for (const { queue, exchange, routingKey } of fullTopology(TEST_DELAYS_MS).bindings) {
    if (queue === name) await bench.channel.bindQueue(name, exchange, routingKey);
  }
}

async function publishConfirmed(
  channel: ConfirmChannel,
  id: string,
  options: Options.Publish = {},
): Promise<void> {
  channel.publish(USER_EVENTS_EXCHANGE, "", Buffer.from(`cuerpo de ${id}`), {
    messageId: id,
    persistent: true,
    ...options,
  });
  await channel.waitForConfirms();
}

function ids(messages: readonly GetMessage[]): string[] {
  return messages.map(({ properties }) => String(properties.messageId)).sort();
}

/** Demands that all of the topology stands, and nothing that stood in for it. */
async function assertMigrated(bench: Bench): Promise<void> {
  await eventually(async () => {
    const { code, stderr } = await setupQueues(broker, bench.amqpUrl, ["--check"]);
    assert.equal(code, 0, stderr);
  });
  const client = new ManagementClient(broker.managementUrl);
  const { queues, exchanges } = await readTopology(client, vhostOf(bench.amqpUrl));
  const left = [...queues, ...exchanges].map(({ name }) => name)
    .filter((name) => /\.(migrating|setup)$/.test(name));
  assert.deepEqual(left, []);
}

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

  await assertMigrated(bench);
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

  await assertMigrated(bench);
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
  await assertMigrated(bench);
  assert.deepEqual(ids(await bench.drain(QUEUE)), ["de antes"]);
});

Deno.test("setup-queues --migrate loses nothing that is published meanwhile, however often it is killed", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, QUEUE, { ...wantedArguments(QUEUE), "x-delivery-limit": 7 });
  const publisher = await bench.connection.createConfirmChannel();
  const published: string[] = [];
  let isPublishing = true;
  const publishing = (async () => {
    for (let n = 0; isPublishing || n < 50; n++) {
      const id = `m-${n}`;
      await publishConfirmed(publisher, id);
      published.push(id);
    }
  })();
  await eventually(() => assert.ok(published.length >= 50));

  const killedAfterMs: number[] = [];
  while (killedAfterMs.length < 6) {
    // n.b. a whole migration takes over two seconds: twice it waits for a queue to stay empty for one.
    const afterMs = Math.round(200 + Math.random() * 1_800);
    const command = startSetupQueues(broker, bench.amqpUrl, ["--migrate"]);
    const timer = setTimeout(() => command.kill("SIGKILL"), afterMs);
    const { signal } = await command.status;
    clearTimeout(timer);
    if (signal !== "SIGKILL") break; // It was done before.
    killedAfterMs.push(afterMs);
  }
  assert.ok(killedAfterMs.length > 0);
  const last = await eventually(async () => {
    const finished = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
    assert.equal(finished.code, 0, finished.stderr);
    return finished;
  });
  isPublishing = false;
  await publishing;

  const context = `killed after ${killedAfterMs.join(", ")} ms; ${last.stderr}`;
  await assertMigrated(bench);
  const arrived = new Set(ids(await bench.drain(QUEUE)));
  assert.deepEqual(published.filter((id) => !arrived.has(id)), [], context);
  assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 0, context);
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
  await assertMigrated(bench);
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
  await assertMigrated(bench);
});
