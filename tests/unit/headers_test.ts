/** Headers from the wire are hostile: every reader answers for any value. */
import assert from "node:assert/strict";
import type { MessageProperties } from "amqplib";
import fc from "fast-check";
import {
  deliveryCount,
  failureMessage,
  headersForReplay,
  minimalOptions,
  readFailure,
  replayIdOf,
  republishOptions,
  retriesOfDeadLetter,
  retriesSoFar,
  takeOriginalProperties,
} from "@ecomarket/shared/contract/headers";

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 53,
  "3",
  "",
  true,
  [],
  [3],
  {},
  { "!": "timestamp", value: 3 },
  3n,
];

/** Properties as they come from the wire: their types hold only for honest senders. */
function properties(values: Readonly<Record<string, unknown>>): MessageProperties {
  return { headers: {}, ...values } as MessageProperties;
}

Deno.test("retriesSoFar() reads a whole number, and 0 from anything else", () => {
  assert.equal(retriesSoFar({ "x-retries": 2 }), 2);
  assert.equal(retriesSoFar(undefined), 0);
  for (const value of HOSTILE) assert.equal(retriesSoFar({ "x-retries": value }), 0);
});

Deno.test("deliveryCount() reads a whole number, and 0 from anything else", () => {
  assert.equal(deliveryCount({ "x-delivery-count": 3 }), 3);
  assert.equal(deliveryCount(undefined), 0);
  for (const value of HOSTILE) assert.equal(deliveryCount({ "x-delivery-count": value }), 0);
});

Deno.test("republishOptions() keeps the message's own properties and headers", () => {
  const own = {
    contentType: "application/json",
    contentEncoding: "utf-8",
    priority: 4,
    correlationId: "c-1",
    replyTo: "respuestas",
    timestamp: 1_759_312_800,
    type: "UsuarioCreado",
    appId: "ecomarket-events",
  };
  const kept = { "x-mine": "ñ", "x-simulate-failures": "email:2", traceparent: "00-1-2-01" };
  assert.deepEqual(
    republishOptions(properties({ ...own, headers: kept }), "m-1", { "x-retries": 1 }),
    { ...own, messageId: "m-1", deliveryMode: 2, headers: { ...kept, "x-retries": 1 } },
  );
});

Deno.test("republishOptions() strips what would make the copy behave otherwise", () => {
  const headers = {
    CC: ["50"],
    BCC: ["100"],
    "x-death": [{ queue: "email_queue" }],
    "x-first-death-queue": "email_queue",
    "x-last-death-reason": "rejected",
    "x-delivery-count": 3,
    "x-acquired-count": 4,
  };
  const hostile = { expiration: "1000", userId: "otro", clusterId: "c", deliveryMode: 1, headers };
  assert.deepEqual(republishOptions(properties(hostile), "m-1", {}), {
    messageId: "m-1",
    deliveryMode: 2,
    headers: {},
  });
});

Deno.test("republishOptions() drops a reply-to that names the broker's pseudo-queue", () => {
  const direct = properties({ replyTo: "amq.rabbitmq.reply-to.g1h2" });
  assert.equal(republishOptions(direct, "m-1", {}).replyTo, undefined);
});

Deno.test("republishOptions() keeps the id that the message has, also one that cannot be written", () => {
  const id = "\ufffd".repeat(100);
  assert.equal(republishOptions(properties({ messageId: id }), "m-1", {}).messageId, id);
  assert.equal(republishOptions(properties({ messageId: "" }), "m-1", {}).messageId, "m-1");
});

Deno.test("minimalOptions() keeps the id, the date and our headers, and the rest as bytes", () => {
  const own = { type: "otro", correlationId: "c-1", replyTo: "r", priority: 4, expiration: "1000" };
  const all = properties({ ...own, timestamp: 1_759_312_800, headers: { "x-mine": "ñ" } });
  const { headers, ...rest } = minimalOptions(all, "m-1", { "x-retries": 1 });
  assert.deepEqual(rest, { messageId: "m-1", timestamp: 1_759_312_800, deliveryMode: 2 });
  const taken = takeOriginalProperties(headers);
  assert.deepEqual(taken.headers, { "x-retries": 1 });
  assert.deepEqual(JSON.parse(String(taken.original)), {
    properties: { ...own, timestamp: 1_759_312_800 },
    headers: { "x-mine": "ñ" },
  });
  assert.equal(minimalOptions(properties({ timestamp: 2 ** 64 }), "m-1", {}).timestamp, undefined);
});

Deno.test("takeOriginalProperties() leaves alone what is not ours", () => {
  for (const value of HOSTILE) {
    const headers = { "x-original-properties": value };
    assert.deepEqual(takeOriginalProperties(headers), { original: undefined, headers });
  }
});

Deno.test("republishOptions() lets its own headers win", () => {
  const forged = properties({ headers: { "x-retries": 99, "x-origin-queue": "otra" } });
  const options = republishOptions(forged, "m-1", { "x-retries": 1 });
  assert.deepEqual(options.headers, { "x-retries": 1, "x-origin-queue": "otra" });
});

Deno.test("failureMessage() leaves what is short enough as it is", () => {
  assert.equal(failureMessage("¡ay, qué pena! 🌱"), "¡ay, qué pena! 🌱");
  assert.equal(failureMessage("ñ".repeat(1_000)), "ñ".repeat(1_000));
});

Deno.test("failureMessage() cuts between characters, never within a surrogate pair", () => {
  const cut = failureMessage("🌱".repeat(1_001));
  assert.equal(cut, `${"🌱".repeat(999)}…`);
  assert.ok(cut.isWellFormed());
});

Deno.test("failureMessage() makes lone surrogates fit to be written", () => {
  assert.equal(failureMessage("a\ud83cb"), "a\ufffdb");
});

Deno.test("failureMessage() fits a header table, for any text", () => {
  const units = fc.constantFrom("a", "ñ", "🌱", "\ud83c", "\udf31", "\u0000");
  const part = fc.string({ unit: units, maxLength: 20 });
  const text = fc.tuple(part, fc.nat({ max: 200 })).map(([part, times]) => part.repeat(times));
  fc.assert(fc.property(text, (text) => {
    const message = failureMessage(text);
    assert.ok(message.isWellFormed());
    assert.ok(new TextEncoder().encode(message).length <= 4_000);
  }));
});

Deno.test("retriesOfDeadLetter() takes our count, or the broker's where we had not counted", () => {
  const death = [{ reason: "delivery_limit", queue: "email_queue" }];
  const byBroker = { "x-death": death, "x-delivery-count": 4 };
  assert.equal(retriesOfDeadLetter(byBroker), 3);
  assert.equal(retriesOfDeadLetter({ ...byBroker, "x-retries": 2 }), 2);
  assert.equal(
    retriesOfDeadLetter({ "x-death": [{ reason: "expired" }], "x-delivery-count": 4 }),
    0,
  );
  assert.equal(retriesOfDeadLetter({ "x-death": death }), 0);
  for (const value of HOSTILE) assert.equal(retriesOfDeadLetter({ "x-retries": value }), 0);
});

Deno.test("readFailure() reads our own headers", () => {
  const headers = {
    "x-failure-id": "f-1",
    "x-origin-queue": "loyalty_queue",
    "x-failure-reason": "retries-exhausted",
    "x-failure-message": "la base de datos no responde",
    "x-failed-at": "2025-10-01T10:00:00.000Z",
  };
  assert.deepEqual(readFailure(headers), {
    id: "f-1",
    originQueue: "loyalty_queue",
    reason: "retries-exhausted",
    message: "la base de datos no responde",
    failedAt: "2025-10-01T10:00:00.000Z",
  });
});

Deno.test("readFailure() believes x-death before our own headers, which may be old or forged", () => {
  const headers = {
    "x-origin-queue": "loyalty_queue",
    "x-failure-reason": "permanent-error",
    "x-failure-id": "f-1",
    "x-death": [
      {
        count: 1,
        reason: "delivery_limit",
        queue: "email_queue",
        time: { "!": "timestamp", value: 1_759_312_800 },
        exchange: "user_events",
        "routing-keys": [""],
      },
    ],
  };
  assert.deepEqual(readFailure(headers), {
    id: "email_queue delivery_limit 1759312800",
    originQueue: "email_queue",
    reason: "delivery_limit",
    message: "the consumer died each time that it was given this message",
    failedAt: "2025-10-01T10:00:00.000Z",
  });
});

Deno.test("readFailure() names the broker's other reasons", () => {
  const { message, reason } = readFailure({ "x-death": [{ reason: "expired" }] });
  assert.equal(reason, "expired");
  assert.equal(message, "dead-lettered by the broker (expired)");
});

Deno.test("readFailure() knows nothing from nothing, and invents nothing", () => {
  const nothing = {
    id: undefined,
    originQueue: "unknown",
    reason: "unknown",
    message: "",
    failedAt: undefined,
  };
  assert.deepEqual(readFailure(undefined), nothing);
  assert.deepEqual(readFailure({ "x-death": [] }), nothing);
  assert.deepEqual(readFailure({ "x-death": "nonsense", "x-origin-queue": 7 }), nothing);
});

Deno.test("readFailure() reads words that fit into a header again, and half an id is none", () => {
  const long = "🌱".repeat(300);
  const failure = readFailure({
    "x-failure-id": long,
    "x-origin-queue": long,
    "x-failure-reason": long,
    "x-failed-at": long,
  });
  const short = `${"🌱".repeat(254)}…`;
  assert.deepEqual(failure, {
    id: undefined,
    originQueue: short,
    reason: short,
    message: "",
    failedAt: short,
  });
});

Deno.test("readFailure() leaves out a time that no calendar has", () => {
  for (const value of [NaN, Infinity, 1e300, -1e300, "1759312800", null]) {
    const headers = { "x-death": [{ time: { "!": "timestamp", value } }] };
    assert.equal(readFailure(headers).failedAt, undefined);
  }
});

Deno.test("Header readers never throw, whatever the headers hold", () => {
  const value = fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true });
  const death = fc.record(
    {
      reason: value,
      queue: value,
      time: fc.oneof(value, fc.record({ "!": fc.constant("timestamp"), value })),
    },
    { requiredKeys: [] },
  );
  const headers = fc.record({
    "x-retries": value,
    "x-delivery-count": value,
    "x-origin-queue": value,
    "x-failure-reason": value,
    "x-death": fc.oneof(value, fc.array(fc.oneof(value, death), { maxLength: 2 })),
  }, { requiredKeys: [] });
  fc.assert(
    fc.property(headers, (headers) => {
      assert.ok(retriesSoFar(headers) >= 0);
      assert.ok(deliveryCount(headers) >= 0);
      const failure = readFailure(headers);
      assert.equal(typeof failure.originQueue, "string");
      assert.equal(typeof failure.reason, "string");
      republishOptions(properties({ headers }), "m-1", {});
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("headersForReplay() takes every failure away, and leaves the message's own headers", () => {
  const own = { "x-mine": 1, "x-simulate-failures": "email:1" };
  const failed = {
    "x-retries": 3,
    "x-origin-queue": "email_queue",
    "x-failure-reason": "permanent-error",
    "x-failure-message": "full",
    "x-failed-at": "2026",
    "x-failure-id": "f",
    "x-replay-id": "op-0/1",
  };
  assert.deepEqual(headersForReplay({ ...own, ...failed }, "op-1/2"), {
    ...own,
    "x-retries": 0,
    "x-replay-id": "op-1/2",
  });
});

Deno.test("replayIdOf() reads a text that is short enough to be one, and nothing from anything else", () => {
  assert.equal(replayIdOf({ "x-replay-id": "op-1/2" }), "op-1/2");
  assert.equal(replayIdOf(undefined), undefined);
  for (const value of [...HOSTILE, "x".repeat(256)]) {
    if (typeof value === "string" && value.length < 256) continue;
    assert.equal(replayIdOf({ "x-replay-id": value }), undefined);
  }
});

Deno.test("republishOptions() and minimalOptions() keep who replayed the message", () => {
  const own = properties({ headers: { "x-replay-id": "op-1/2" } });
  assert.equal(republishOptions(own, "m-1", {}).headers["x-replay-id"], "op-1/2");
  assert.equal(minimalOptions(own, "m-1", {}).headers["x-replay-id"], "op-1/2");
});
