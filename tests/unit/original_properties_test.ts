/** What a message loses on its way is kept as bytes, whatever it was, within bounds. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { MessageProperties } from "amqplib";
import fc from "fast-check";
import { headersAsJson, originalProperties } from "@ecomarket/shared/contract/original_properties";

function read(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const bytes = originalProperties(properties as unknown as MessageProperties);
  assert.ok(bytes.length < 48 * 1024, `${bytes.length} bytes`);
  return JSON.parse(bytes.toString());
}

/** Arrays around bytes. n.b. around nothing, V8 writes them without a stack. */
function nested(depth: number): unknown {
  let value: unknown = Buffer.from("ñ");
  for (let n = 0; n < depth; n++) value = [value];
  return value;
}

Deno.test("originalProperties() keeps properties and headers", () => {
  const headers = { "x-mine": "ñ", bytes: Buffer.from([0, 255]), none: null };
  assert.deepEqual(read({ type: "otro", timestamp: 2 ** 64, correlationId: undefined, headers }), {
    properties: { type: "otro", timestamp: 2 ** 64 },
    headers: { ...headers, bytes: { type: "Buffer", data: [0, 255] } },
  });
  assert.deepEqual(read({ headers: undefined }), { properties: {}, headers: {} });
});

Deno.test("originalProperties() cuts what is too large or nested too deeply, and says so", () => {
  const headers = { before: 1, big: "x".repeat(60_000), deep: nested(100_000), after: 2 };
  assert.deepEqual(read({ type: "otro", headers }), {
    properties: { type: "otro" },
    headers: { before: 1, after: 2 },
    cut: { headers: 2, names: ["big", "deep"] },
  });
});

Deno.test("originalProperties() stays within its bounds, however many headers there are", () => {
  const many = Array.from({ length: 20_000 }, (_, n) => [`\u0001${"ñ".repeat(250)}${n}`, n]);
  const longest = Object.fromEntries(
    ["contentType", "correlationId", "replyTo", "messageId", "type", "userId", "appId", "clusterId"]
      .map((name) => [name, "\u0001".repeat(255)]),
  );
  const { cut } = read({ ...longest, headers: Object.fromEntries(many) });
  const { headers, names } = cut as { headers: number; names: string[] };
  assert.ok(headers > 19_000);
  assert.equal(names.length, 20);
});

Deno.test("headersAsJson() writes what JSON.stringify() would, and never throws", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (headers) => {
    assert.equal(headersAsJson(headers), JSON.stringify(headers));
  }));
  const deep = { deep: nested(100_000), bytes: Buffer.from("ñ") };
  assert.deepEqual(JSON.parse(headersAsJson(deep)), {
    deep: { cut: "nested too deeply" },
    bytes: { type: "Buffer", data: [0xc3, 0xb1] },
  });
});
