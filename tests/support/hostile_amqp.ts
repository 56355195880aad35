/** Messages of every bad kind: what a client library writes, and what none does. */
import { Buffer } from "node:buffer";
import type { Options } from "amqplib";
import fc from "fast-check";
import { nestedArrays, nestedTables } from "@ecomarket/testbed/broker/nested_headers";
import {
  longLong,
  octet,
  type RawProperties,
  shortString,
} from "@ecomarket/testbed/broker/raw_amqp";
import { anyText, hostileText } from "./hostile_text.ts";

/** A message, as amqplib publishes it. */
export interface HostileMessage {
  readonly content: Buffer;
  readonly options: Options.Publish;
}

const fields = fc.record({
  event_type: fc.oneof(
    fc.constantFrom("UsuarioCreado", "CompraRealizada"),
    anyText,
    fc.integer(),
    fc.constant(null),
  ),
  event_id: fc.oneof(fc.uuid(), anyText, fc.double(), fc.constant(null)),
  schema_version: fc.oneof(fc.constant(1), fc.integer(), anyText, fc.constant(1e308)),
  timestamp: fc.oneof(fc.constant("2026-02-30T10:00:00"), anyText, fc.integer(), fc.constant(null)),
  user_id: fc.oneof(fc.uuid(), anyText, fc.constant(Number.MAX_VALUE)),
  id: fc.oneof(fc.integer(), anyText),
  nombre: fc.oneof(fc.constant("Íñigo Ñáñez"), anyText, fc.constant("x".repeat(300))),
  email: fc.oneof(fc.constant("inigo@example.com"), anyText, fc.constant("juan@")),
  total: fc.oneof(fc.integer(), anyText),
  currency: fc.oneof(fc.constant("MXN"), anyText),
  items: fc.oneof(fc.jsonValue(), fc.constant(Array(300).fill({ sku: "x", quantity: 1 }))),
  simulate_fail: fc.oneof(fc.boolean(), anyText),
  __proto__: fc.jsonValue(),
}, { requiredKeys: [] });

/** n.b. the larger ones are few: each is copied to every subscriber, and again to the dead letters. */
const body: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 20, arbitrary: fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 60, arbitrary: fields.map((value) => Buffer.from(JSON.stringify(value))) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 50_000 }).map((depth) => Buffer.from("[".repeat(depth))),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 20_000 })
      .map((depth) => Buffer.from(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)),
  },
  {
    weight: 10,
    arbitrary: fc.constantFrom(
      '{"nombre":"a","nombre":"b","email":"a@example.com","id":1,"id":2}',
      `{"id":1e400,"nombre":"a","email":"a@example.com"}`,
      `{"id":1,"nombre":"a","email":"a@example.com","x":${"9".repeat(5_000)}}`,
      "\ufeff{}",
      "",
      "null",
    ).map((text) => Buffer.from(text)),
  },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(256 * 1024 + 1, "a")) },
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
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 12,
    arbitrary: fc.record({
      "x-death": hostileValue,
      "x-retries": hostileValue,
      "x-origin-queue": hostileValue,
      "x-failure-reason": hostileValue,
      "x-failure-message": hostileValue,
      "x-failure-id": hostileValue,
      "x-failed-at": hostileValue,
      "x-replay-id": hostileValue,
      "x-simulate-failures": fc.oneof(fc.constant("email:1"), anyText, hostileValue),
      "x-first-death-queue": hostileValue,
    }, { requiredKeys: [] }),
  },
  // As many as a frame takes.
  {
    weight: 1,
    arbitrary: fc.integer({ min: 100, max: 3_000 }).map((count) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, n]))
    ),
  },
  // n.b. amqplib writes a header table of at most 64 KiB: with ours added, this is too much.
  {
    weight: 1,
    arbitrary: fc.integer({ min: 64_000, max: 65_400 })
      .map((length) => ({ "x-failure-message": "x".repeat(length) })),
  },
);

const shortText = fc.oneof(
  fc.string({ maxLength: 60 }),
  hostileText.map((text) => text.slice(0, 60)),
);
const properties: fc.Arbitrary<Options.Publish> = fc.record({
  messageId: fc.oneof(fc.uuid(), shortText, fc.constant("")),
  type: fc.oneof(fc.constant("UsuarioCreado"), shortText),
  contentType: shortText,
  contentEncoding: fc.constantFrom("gzip", "utf-8", "x"),
  priority: fc.integer({ min: 0, max: 255 }),
  timestamp: fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
  deliveryMode: fc.constantFrom(1, 2),
  expiration: fc.constantFrom("600000", "4000000000"),
  replyTo: shortText,
  appId: shortText,
}, { requiredKeys: [] });

/** Whatever amqplib can be made to publish. */
export const hostileMessage: fc.Arbitrary<HostileMessage> = fc.tuple(body, properties, headers)
  .map(([content, options, headers]) => ({ content, options: { ...options, headers } }));

/** Up to 255 bytes of any kind: most of them are no UTF-8, and grow when they are read as such. */
const anyShortString = fc.oneof(
  fc.uint8Array({ maxLength: 255 }),
  fc.constantFrom(Buffer.alloc(255, 0xff), Buffer.alloc(255, "a"), Buffer.alloc(100, 0x80)),
).map((bytes) => shortString(Buffer.from(bytes)));

/** n.b. each that amqplib cannot decode costs 25 links: there is one of them, and it is told apart. */
const decodableDepth = fc.integer({ min: 1, max: 2_000 });

/** Properties that no client library writes. `user` publishes: the broker refuses any other user id. */
export function rawProperties(user: string): fc.Arbitrary<RawProperties> {
  return fc.record({
    contentType: anyShortString,
    contentEncoding: anyShortString,
    headers: fc.oneof(decodableDepth.map(nestedArrays), decodableDepth.map(nestedTables)),
    deliveryMode: fc.constantFrom(1, 2).map(octet),
    priority: fc.constantFrom(0, 127, 128, 255).map(octet),
    correlationId: anyShortString,
    replyTo: anyShortString,
    // n.b. the broker refuses a greater one, and what is no number.
    expiration: fc.constantFrom("600000", "4294967295").map(shortString),
    messageId: anyShortString,
    timestamp: fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.constantFrom(0n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
    ).map(longLong),
    type: anyShortString,
    userId: fc.constant(shortString(user)),
    appId: anyShortString,
    clusterId: anyShortString,
  }, { requiredKeys: [] });
}
