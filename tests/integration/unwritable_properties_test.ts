/** Messages whose properties amqplib can read and not write again: they fail as any other message. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DEAD_LETTER_EXCHANGE, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import type { Consumer } from "@ecomarket/shared/subscriber";
import {
  headerTable,
  longLong,
  longString,
  RawAmqp,
  type RawProperties,
  shortString,
} from "@ecomarket/testbed/broker/raw_amqp";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { archived, onlyArchived, refuseTenTimes } from "../support/archive.ts";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const JUAN = { user_id: "u-1", nombre: "Juan Pérez", email: "juan@example.com" };

/** Read as UTF-8 each of these bytes is U+FFFD, which takes three to write: 300 of at most 255. */
const BINARY = Buffer.alloc(100, 0xff);
function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

const UNWRITABLE: Readonly<Record<string, RawProperties>> = {
  "content_type": { contentType: shortString(BINARY) },
  "content_encoding": { contentEncoding: shortString(BINARY) },
  "correlation_id": { correlationId: shortString(BINARY) },
  "reply_to": { replyTo: shortString(BINARY) },
  "message_id": { messageId: shortString(BINARY) },
  "type": { type: shortString(BINARY) },
  "app_id": { appId: shortString(BINARY) },
  "timestamp of 2^64 - 1": { timestamp: longLong(2n ** 64n - 1n) },
  "header with a name of other bytes": { headers: headerTable(BINARY, "V", Buffer.alloc(0)) },
  "header below any long": { headers: headerTable("far", "d", double(-1e20)) },
  "header that amqplib takes for an order": {
    headers: headerTable("x", "F", headerTable("!", "S", longString("nonsense"))),
  },
  "header table of 64 KiB": { headers: headerTable("big", "S", longString("x".repeat(65_500))) },
};

function text(bytes: unknown): string {
  assert.ok(bytes instanceof Uint8Array);
  return new TextDecoder().decode(bytes);
}

/** `consumer`, and how often each body came to it: more often than it failed where a link was lost. */
function counting<T>(consumer: Consumer<T>): { consumer: Consumer<T>; came: Map<string, number> } {
  const came = new Map<string, number>();
  const spec: Consumer<T>["spec"] = (config) => {
    const spec = consumer.spec(config);
    return {
      ...spec,
      decode(message) {
        const body = message.content.toString();
        came.set(body, (came.get(body) ?? 0) + 1);
        return spec.decode(message);
      },
    };
  };
  return { consumer: { ...consumer, spec }, came };
}

Deno.test("runSubscriber() dead-letters a message whose properties cannot be written again, once, on the same link", async () => {
  await using bench = await Bench.open(broker);
  using raw = await RawAmqp.connect(bench.amqpUrl);
  const recording = recordingConsumer();
  const { consumer, came } = counting(recording);
  await using _running = bench.run(consumer);
  await using _archive = bench.run(deadLetterConsumer);

  const names = Object.keys(UNWRITABLE);
  for (const [name, properties] of Object.entries(UNWRITABLE)) {
    await raw.publish(USER_EVENTS_EXCHANGE, properties, Buffer.from(name));
  }
  await eventually(() => {
    assert.deepEqual(archived(bench).map(({ body }) => text(body)).sort(), names.toSorted());
  });
  assert.deepEqual(
    new Set(archived(bench).map(({ reason }) => reason)),
    new Set(["invalid-message"]),
  );
  assert.ok(
    archived(bench).every((row) => row.original_properties instanceof Uint8Array),
    "none of them could be written again",
  );
  bench.publishRaw(JUAN);
  await eventually(() => assert.deepEqual(recording.handled, ["u-1"]));
  assert.deepEqual(
    Object.fromEntries(came),
    Object.fromEntries([...names, JSON.stringify(JUAN)].map((body) => [body, 1])),
    "a lost link would have brought them again",
  );
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});

Deno.test("runSubscriber() retries an event whose properties cannot be written again, under the same id", async () => {
  await using bench = await Bench.open(broker);
  using raw = await RawAmqp.connect(bench.amqpUrl);
  const recording = recordingConsumer((_user, attempt) => {
    if (attempt <= 2) throw new Error("twice");
  });
  const { consumer, came } = counting(recording);
  await using _running = bench.run(consumer);
  const body = JSON.stringify(JUAN);
  const properties = { messageId: shortString(BINARY), correlationId: shortString(BINARY) };
  await raw.publish(USER_EVENTS_EXCHANGE, properties, Buffer.from(body));
  await eventually(() => assert.deepEqual(recording.handled, ["u-1"]));
  assert.equal(came.get(body), 3, "two failures, no lost link");

  // The very same message again: a duplicate, although its first copy went on under a derived id.
  await raw.publish(USER_EVENTS_EXCHANGE, properties, Buffer.from(body));
  bench.publishRaw({ ...JUAN, user_id: "u-2" });
  await eventually(() => assert.deepEqual(recording.handled, ["u-1", "u-2"]));
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 0));
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});

Deno.test("deadLetterConsumer keeps the original properties of a message that could not be written again", async () => {
  await using bench = await Bench.open(broker);
  using raw = await RawAmqp.connect(bench.amqpUrl);
  await using _running = bench.run(recordingConsumer(() => {
    throw new Error("always");
  }));
  await using _archive = bench.run(deadLetterConsumer);
  await raw.publish(USER_EVENTS_EXCHANGE, {
    contentType: shortString("application/json"),
    headers: headerTable("x-mine", "x", longString(BINARY)),
    messageId: shortString(BINARY),
    timestamp: longLong(1_759_312_800n),
    appId: shortString("otra tienda"),
  }, Buffer.from(JSON.stringify(JUAN)));

  const row = await onlyArchived(bench);
  assert.equal(row.reason, "retries-exhausted");
  assert.equal(row.origin_queue, "email_queue");
  assert.equal(row.retries, 3);
  const properties = JSON.parse(String(row.properties));
  assert.equal(properties.messageId, row.message_id);
  assert.match(String(row.message_id), /^[0-9a-f-]{36}$/, "an id that can be written");
  assert.equal(properties.timestamp, 1_759_312_800, "the event's date, where it has no other");
  assert.doesNotMatch(String(row.headers), /x-original-properties|x-mine/);
  assert.deepEqual(JSON.parse(text(row.original_properties)), {
    properties: {
      contentType: "application/json",
      messageId: "\ufffd".repeat(100),
      timestamp: 1_759_312_800,
      appId: "otra tienda",
    },
    headers: { "x-mine": BINARY.toJSON() },
  });
});

Deno.test("deadLetterConsumer sends a dead letter round again whose failure report is larger than any header", async () => {
  await using bench = await Bench.open(broker);
  using raw = await RawAmqp.connect(bench.amqpUrl);
  await raw.publish(DEAD_LETTER_EXCHANGE, {
    headers: headerTable("x-origin-queue", "S", longString("x".repeat(70_000))),
    messageId: shortString("m-1"),
  }, Buffer.from("cualquier cosa"));
  await refuseTenTimes(bench);
  await using _archive = bench.run(deadLetterConsumer);
  await eventually(() => assert.deepEqual(archived(bench).map((row) => row.message_id), ["m-1"]));
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 0));
});
