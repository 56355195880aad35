/**
 * Poison of every kind, sent to a live consumer: it stays up, each message is handled or archived
 * with a reason, none is lost, and valid events in between are handled.
 *
 * `FUZZ_SEED` and `FUZZ_CASES` choose another run; a failing one prints its seed.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ConsumeMessage, Options } from "amqplib";
import fc from "fast-check";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { PARKED_QUEUE, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import type { Consumer } from "@ecomarket/shared/subscriber";
import {
  nestedArrays,
  nestedTables,
  UNDECODABLE_DEPTH,
} from "@ecomarket/testbed/broker/nested_headers";
import {
  longLong,
  octet,
  RawAmqp,
  type RawProperties,
  shortString,
} from "@ecomarket/testbed/broker/raw_amqp";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";

const CASES = Number(Deno.env.get("FUZZ_CASES") ?? 2_000);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 1);
/** Of messages that only a client of our own making can write. */
const RAW_CASES = Math.ceil(CASES / 10);
/** One valid event after so many cases. */
const VALID_EVERY = 20;

interface Case {
  readonly content: Buffer;
  readonly options: Options.Publish;
}

/** Text with whatever JavaScript strings may hold, lone surrogates included. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.array(fc.integer({ min: 0xd800, max: 0xdfff }), { maxLength: 5 })
    .map((units) => String.fromCharCode(...units)),
);

const fields = fc.record({
  event_type: fc.oneof(fc.constant("UsuarioCreado"), anyText, fc.integer(), fc.constant(null)),
  event_id: fc.oneof(fc.uuid(), anyText, fc.double(), fc.constant(null)),
  schema_version: fc.oneof(fc.constant(1), fc.integer(), anyText, fc.constant(1e308)),
  timestamp: fc.oneof(fc.constant("2026-02-30T10:00:00"), anyText, fc.integer(), fc.constant(null)),
  user_id: fc.oneof(fc.uuid(), anyText, fc.constant(Number.MAX_VALUE)),
  id: fc.oneof(fc.integer(), anyText),
  nombre: fc.oneof(fc.constant("Íñigo Ñáñez"), anyText, fc.constant("x".repeat(300))),
  email: fc.oneof(fc.constant("inigo@example.com"), anyText, fc.constant("juan@")),
  simulate_fail: fc.oneof(fc.boolean(), anyText),
  __proto__: fc.jsonValue(),
}, { requiredKeys: [] });

const body: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  { weight: 3, arbitrary: fields.map((value) => Buffer.from(JSON.stringify(value))) },
  fc.integer({ min: 1, max: 50_000 }).map((depth) => Buffer.from("[".repeat(depth))),
  fc.integer({ min: 1, max: 50_000 })
    .map((depth) => Buffer.from(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)),
  fc.constantFrom(
    '{"nombre":"a","nombre":"b","email":"a@example.com","id":1,"id":2}',
    `{"id":1e400,"nombre":"a","email":"a@example.com"}`,
    `{"id":1,"nombre":"a","email":"a@example.com","x":${"9".repeat(5_000)}}`,
    "\ufeff{}",
    "",
    "null",
  ).map((text) => Buffer.from(text)),
  fc.constant(Buffer.alloc(256 * 1024 + 1, "a")),
);

const hostileValue = fc.oneof(
  fc.integer(),
  fc.double({ min: -1e15, max: 1e15, noNaN: true }),
  // n.b. amqplib reads these, and cannot write them again.
  fc.constantFrom(1e300, -1e20).map((value) => ({ "!": "double", value })),
  anyText,
  fc.boolean(),
  fc.constant(null),
  fc.constant({ "!": "timestamp", value: 2 ** 52 }),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.constant([{ time: { value: { toString: "x", valueOf: "y" } } }]),
  fc.constant([{ queue: "email_queue", reason: "delivery_limit", count: -1 }]),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
);

const headers = fc.oneof(
  fc.constant(undefined),
  fc.record({
    "x-death": hostileValue,
    "x-retries": hostileValue,
    "x-origin-queue": hostileValue,
    "x-failure-reason": hostileValue,
    "x-failure-message": hostileValue,
    "x-failure-id": hostileValue,
    "x-failed-at": hostileValue,
    "x-simulate-failures": fc.oneof(fc.constant("email:1"), anyText, hostileValue),
    "x-first-death-queue": hostileValue,
  }, { requiredKeys: [] }),
  // n.b. amqplib writes a header table of at most 64 KiB: with ours added, this is too much.
  fc.integer({ min: 64_000, max: 65_400 }).map((length) => ({ big: "x".repeat(length) })),
);

const shortText = fc.string({ maxLength: 60 });
const properties: fc.Arbitrary<Options.Publish> = fc.record({
  messageId: fc.oneof(fc.uuid(), shortText, fc.constant("")),
  type: fc.oneof(fc.constant("UsuarioCreado"), shortText),
  contentType: shortText,
  contentEncoding: fc.constantFrom("gzip", "utf-8", "x"),
  priority: fc.integer({ min: 0, max: 255 }),
  timestamp: fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
  deliveryMode: fc.constantFrom(1, 2),
  expiration: fc.constantFrom("60000", "4000000000"),
  replyTo: shortText,
  appId: shortText,
}, { requiredKeys: [] });

const anyCase: fc.Arbitrary<Case> = fc.tuple(body, properties, headers)
  .map(([content, options, headers]) => ({ content, options: { ...options, headers } }));

/** `consumer`, which also notes the id under which it understood each case. */
function noting<T>(consumer: Consumer<T>, understood: Map<string, string>): Consumer<T> {
  return {
    ...consumer,
    spec: (config) => {
      const spec = consumer.spec(config);
      return {
        ...spec,
        decode(message) {
          const incoming = spec.decode(message);
          understood.set(String((message as ConsumeMessage).properties.correlationId), incoming.id);
          return incoming;
        },
      };
    },
  };
}

function rows(bench: Bench, folder: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(bench.directory, folder, "store.sqlite"), { readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

/** Which case an archived row is: what could not be written again has its properties beside it. */
function nameOf(row: Record<string, unknown>): string {
  const original = row.original_properties;
  return original instanceof Uint8Array
    ? JSON.parse(new TextDecoder().decode(original)).properties.correlationId
    : JSON.parse(String(row.properties)).correlationId;
}

Deno.test(`${CASES} poisonous messages are each handled or archived, and no valid event waits for them (seed ${SEED})`, async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  const understood = new Map<string, string>();
  const consumer = noting(recordingConsumer(), understood);
  await using _email = bench.run(consumer, { simulateFailures: true, prefetch: 100 });
  await using _archive = bench.run(deadLetterConsumer, { prefetch: 100 });

  const names: string[] = [];
  const validIds: string[] = [];
  const publisher = await bench.connection.createConfirmChannel();
  const publish = ({ content, options }: Case) => {
    const name = `case-${names.length}`;
    names.push(name);
    publisher.publish(USER_EVENTS_EXCHANGE, "", content, { ...options, correlationId: name });
  };
  for (const [n, poison] of fc.sample(anyCase, { numRuns: CASES, seed: SEED }).entries()) {
    publish(poison);
    if (n % VALID_EVERY !== VALID_EVERY - 1) continue;
    const valid = createUsuarioCreado({ nombre: "Íñigo", email: "inigo@example.com" });
    validIds.push(valid.event_id);
    publish(encode(valid));
  }
  await publisher.waitForConfirms();

  const effects = () =>
    new Set(
      rows(bench, "email", "SELECT event_id FROM handled").map((row) => String(row.event_id)),
    );
  const archived = () =>
    new Map(
      rows(
        bench,
        "dead_letters",
        "SELECT properties, original_properties, reason FROM dead_letters",
      )
        .map((row) => [nameOf(row), String(row.reason)]),
    );
  await eventually(() => {
    const done = effects();
    const dead = archived();
    const missing = names.filter((name) => {
      const id = understood.get(name);
      return !dead.has(name) && !(id !== undefined && done.has(id));
    });
    assert.deepEqual(missing, []);
  }, 60_000);

  const done = effects();
  assert.deepEqual(validIds.filter((id) => !done.has(id)), [], "every valid event was handled");
  assert.ok(archived().size > CASES / 4, "much of it is poison");
  assert.ok(!archived().values().some((reason) => reason === "" || reason === "unknown"));
  for (const queue of ["email_queue", "dead_letter_queue"]) {
    await eventually(async () => assert.equal(await bench.depth(queue), 0, queue));
  }
});

/** Up to 255 bytes of any kind: most of them are no UTF-8, and grow when they are read as such. */
const anyShortString = fc.oneof(
  fc.uint8Array({ maxLength: 255 }),
  fc.constantFrom(Buffer.alloc(255, 0xff), Buffer.alloc(255, "a"), Buffer.alloc(100, 0x80)),
).map((bytes) => shortString(Buffer.from(bytes)));

/** n.b. each that amqplib cannot decode costs 25 links: there is one of them, and it is told apart. */
const decodableDepth = fc.integer({ min: 1, max: 2_000 });

const rawProperties: fc.Arbitrary<RawProperties> = fc.record({
  contentType: anyShortString,
  contentEncoding: anyShortString,
  headers: fc.oneof(decodableDepth.map(nestedArrays), decodableDepth.map(nestedTables)),
  deliveryMode: fc.constantFrom(1, 2).map(octet),
  priority: fc.constantFrom(0, 127, 128, 255).map(octet),
  correlationId: anyShortString,
  replyTo: anyShortString,
  // n.b. the broker refuses a greater one, and what is no number.
  expiration: fc.constantFrom("60000", "4294967295").map(shortString),
  messageId: anyShortString,
  timestamp: fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(0n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
  ).map(longLong),
  type: anyShortString,
  // n.b. the broker refuses any other user than the one that publishes.
  userId: fc.constant(shortString("ecomarket_user")),
  appId: anyShortString,
  clusterId: anyShortString,
}, { requiredKeys: [] });

Deno.test(`${RAW_CASES} messages with properties that no client library writes are each handled, archived or parked (seed ${SEED})`, async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await using _email = bench.run(recordingConsumer(), { prefetch: 100 });
  await using _archive = bench.run(deadLetterConsumer, { prefetch: 100 });

  // Each has its name in its body, which nothing changes. Every other one is invalid.
  const bodyOf = (name: string, n: number) =>
    Buffer.from(JSON.stringify({ id: name, nombre: "Íñigo", email: n % 2 ? "juan@" : "i@e.com" }));
  using raw = await RawAmqp.connect(bench.amqpUrl);
  const names: string[] = [];
  for (
    const [n, properties] of fc.sample(rawProperties, { numRuns: RAW_CASES, seed: SEED }).entries()
  ) {
    const name = `raw-${n}`;
    names.push(name);
    await raw.publish(USER_EVENTS_EXCHANGE, properties, bodyOf(name, n));
  }
  const headers = nestedArrays(UNDECODABLE_DEPTH);
  await raw.publish(USER_EVENTS_EXCHANGE, { headers }, bodyOf("undecodable", 0));

  await eventually(async () => {
    const done = rows(bench, "email", "SELECT user_id FROM handled").map((row) => row.user_id);
    const dead = rows(bench, "dead_letters", "SELECT body FROM dead_letters")
      .map((row) => JSON.parse(new TextDecoder().decode(row.body as Uint8Array)).id);
    const ended = new Set([...done, ...dead]);
    assert.deepEqual(names.filter((name) => !ended.has(name)), []);
    assert.equal(await bench.depth(PARKED_QUEUE), 1);
    for (const queue of ["email_queue", "dead_letter_queue"]) {
      assert.equal(await bench.depth(queue), 0, queue);
    }
  }, 90_000);
  const reasons = rows(bench, "dead_letters", "SELECT DISTINCT reason FROM dead_letters");
  assert.deepEqual(reasons.map(({ reason }) => reason), ["invalid-message"]);
});
