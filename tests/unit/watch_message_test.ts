/** What the live page makes of a message that passes, whatever it is. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ConsumeMessage } from "amqplib";
import { seenEvent } from "../../watch/sources/message.ts";

function message(body: string, properties: Record<string, unknown> = {}): ConsumeMessage {
  const fields = { exchange: "user_events" };
  return { content: Buffer.from(body), properties, fields } as unknown as ConsumeMessage;
}

Deno.test("seenEvent() calls an event as its subscribers do, and by its message's id besides", () => {
  const id = "x".repeat(200);
  const body = JSON.stringify({ event_id: id, event_type: "UsuarioCreado", nombre: "Ana" });
  const seen = seenEvent(message(body, { messageId: "m" }));
  assert.deepEqual([seen.id, seen.alias, seen.type, seen.label], [id, "m", "UsuarioCreado", "Ana"]);
  assert.equal(seenEvent(message(body, { messageId: id })).alias, undefined);
  const derived = seenEvent(message(body)).alias!;
  assert.match(derived, /^[0-9a-f-]{36}$/, "as a dead letter of it is called");
});

Deno.test("seenEvent() answers for what is no event, and keeps little of what is large", () => {
  const nested = JSON.parse("[".repeat(5_000) + "]".repeat(5_000));
  for (const body of ["", "no JSON", "[]", '{"event_id":7,"nombre":{}}', "\uFFFD"]) {
    const seen = seenEvent(message(body, { messageId: "m", type: 7, headers: { nested } }));
    assert.deepEqual([seen.id, seen.type, seen.label], ["m", "?", ""]);
  }
  const large = seenEvent(message("a".repeat(300_000), { headers: { big: "b".repeat(60_000) } }));
  assert.ok(large.body!.length <= 4_000);
  assert.ok(JSON.stringify(large.headers).length < 100);
  const long = seenEvent(
    message(JSON.stringify({ event_id: "e".repeat(256), nombre: "n".repeat(999) })),
  );
  assert.equal(long.id.length, 36, "no subscriber takes such an id");
  assert.equal(long.label.length, 80);
});
