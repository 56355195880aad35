/** The contract: what is read, what is written, and what is refused with which reason. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { MessageProperties } from "amqplib";
import fc from "fast-check";
import { InvalidMessageError } from "@ecomarket/shared/base/errors";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { MAX_BODY_BYTES, messageId } from "@ecomarket/shared/contract/message";
import { createUsuarioCreado, UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";

const RECEIVED_AT = new Date("2025-10-02T08:00:00.000Z");
const EVENT: UsuarioCreado = {
  event_type: "UsuarioCreado",
  event_id: "5b7a5a1e-7a3c-4c38-9d0e-1f2f0a9f5f10",
  schema_version: 1,
  timestamp: "2025-10-01T10:00:00.123Z",
  user_id: "u-1",
  nombre: "María José Ñáñez 🌱",
  email: "mariajose@example.com",
};
/** The least that a script of the workshop sends. */
const LEAST = { id: "u-1", nombre: "Juan Pérez", email: "juan@example.com" };

function message(body: unknown, properties: Partial<MessageProperties> = {}) {
  const content = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return { content, properties: { headers: {}, ...properties } as MessageProperties };
}

function read(body: unknown, properties: Partial<MessageProperties> = {}): UsuarioCreado {
  return UsuarioCreado.decode(message(body, properties), RECEIVED_AT);
}

/** The process's time zone, until it is disposed of. */
function timeZone(name: string): Disposable {
  const before = Deno.env.get("TZ");
  Deno.env.set("TZ", name);
  return {
    [Symbol.dispose]: () =>
      before === undefined ? Deno.env.delete("TZ") : Deno.env.set("TZ", before),
  };
}

function refusal(body: unknown, properties: Partial<MessageProperties> = {}): string {
  try {
    UsuarioCreado.decode(message(body, properties), RECEIVED_AT);
  } catch (error) {
    assert.ok(error instanceof InvalidMessageError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(body)} was not refused` });
}

Deno.test("encode() writes the flat JSON that the workshop's Python scripts read", () => {
  assert.deepEqual(JSON.parse(encode(EVENT).content.toString("utf8")), { ...EVENT });
});

Deno.test("encode() writes the AMQP properties of the contract", () => {
  assert.deepEqual(encode(EVENT).options, {
    messageId: EVENT.event_id,
    type: "UsuarioCreado",
    contentType: "application/json",
    deliveryMode: 2,
    timestamp: 1_759_312_800,
    appId: "ecomarket-events",
    headers: { user_bucket: "60" },
  });
});

Deno.test("encode() drops what is no part of the contract", () => {
  const { content } = encode({ ...EVENT, password: "1234" } as UsuarioCreado);
  assert.equal(JSON.parse(content.toString()).password, undefined);
});

Deno.test("encode() refuses an event that breaks the contract", () => {
  assert.throws(() => encode({ ...EVENT, email: "juan@" }), InvalidMessageError);
  assert.throws(() => encode({ ...EVENT, event_id: "" }), InvalidMessageError);
  assert.throws(
    () => encode({ ...EVENT, schema_version: 2 } as unknown as UsuarioCreado),
    InvalidMessageError,
  );
});

Deno.test("createUsuarioCreado() trims what a person typed", () => {
  const { nombre, email } = createUsuarioCreado({ nombre: "  Íñigo  ", email: " i@example.com " });
  assert.equal(nombre, "Íñigo");
  assert.equal(email, "i@example.com");
});

Deno.test("createUsuarioCreado() freezes its event: what is written is what was checked", () => {
  const event = createUsuarioCreado({ nombre: "Juan", email: "juan@example.com" });
  assert.throws(() => Object.assign(event, { email: "no address" }), TypeError);
  assert.throws(
    () => UsuarioCreado.encode({ ...event, email: "no address" } as UsuarioCreado),
    /email/,
  );
});

Deno.test("createUsuarioCreado() gives each event and each user an id of its own", () => {
  const user = { nombre: "Lucía", email: "lucia@example.com" };
  const [first, second] = [createUsuarioCreado(user), createUsuarioCreado(user)];
  assert.notEqual(first.event_id, second.event_id);
  assert.notEqual(first.user_id, second.user_id);
  assert.equal(createUsuarioCreado({ ...user, user_id: "u-7" }).user_id, "u-7");
});

Deno.test("createUsuarioCreado() stamps the event with the time that it is given, in UTC", () => {
  const now = new Date("2025-10-01T12:00:00+02:00");
  assert.equal(createUsuarioCreado(EVENT, now).timestamp, "2025-10-01T10:00:00.000Z");
});

Deno.test("decode() reads what encode() wrote, for every valid user", () => {
  const characters = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(
      "Ñandú",
      "José Ángel",
      "李小龙",
      "👩‍👩‍👧",
      "O'Higgins",
      '"; DROP TABLE',
      "__proto__",
    ),
  );
  const isWithinLimits = (text: string) =>
    text.trim() !== "" && [...text].length <= 200 && !/\p{Cc}/u.test(text);
  const user = fc.record({
    nombre: characters.filter(isWithinLimits),
    email: fc.tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,19}$/), fc.domain())
      .map(([local, domain]) => `${local}@${domain}`)
      .filter((email) => email.length <= 254),
    user_id: fc.option(characters.filter(isWithinLimits), { nil: undefined }),
  });
  const time = fc.date({
    min: new Date("1970-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(user, time, (user, now) => {
    const event = createUsuarioCreado(user, now);
    const { content, options } = encode(event);
    const properties = { ...options, headers: {} } as unknown as MessageProperties;
    assert.deepEqual(UsuarioCreado.decode({ content, properties }), event);
  }));
});

Deno.test("decode() upcasts id to user_id, a number too", () => {
  assert.equal(read(LEAST).user_id, "u-1");
  assert.equal(read({ ...LEAST, id: 42 }).user_id, "42");
  assert.equal(read({ ...LEAST, user_id: "u-2" }).user_id, "u-2", "user_id goes first");
});

Deno.test("decode() fills in the type and the version of a message that names none", () => {
  const { event_type, schema_version } = read(LEAST);
  assert.equal(event_type, "UsuarioCreado");
  assert.equal(schema_version, 1);
});

Deno.test("decode() takes the event's id from the body, else from message_id", () => {
  assert.equal(read({ ...LEAST, event_id: "e-1" }, { messageId: "m-1" }).event_id, "e-1");
  assert.equal(read(LEAST, { messageId: "m-1" }).event_id, "m-1");
});

Deno.test("decode() derives the same id from the same body, for ever", () => {
  // n.b. this literal may never change: events that were handled before would be handled again.
  const pinned = "da835cf3-72f5-5ad6-ae2b-ce8860e0d721";
  assert.equal(read(LEAST).event_id, pinned);
  assert.equal(read(LEAST, { messageId: "" }).event_id, pinned);
  assert.notEqual(read({ ...LEAST, nombre: "Juan Perez" }).event_id, read(LEAST).event_id);
});

Deno.test("messageId() derives an id that can be written from one that cannot, and from the body", () => {
  // n.b. 100 bytes that are no UTF-8, as amqplib reads them.
  const binary = { messageId: "\ufffd".repeat(100) };
  const id = messageId(message(LEAST, binary));
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(messageId(message(LEAST, binary)), id);
  assert.equal(messageId(message(LEAST, { messageId: id })), id, "its copy has the same id");
  assert.notEqual(messageId(message({ ...LEAST, user_id: "u-2" }, binary)), id);
  assert.notEqual(messageId(message(LEAST, { messageId: "\ufffd".repeat(101) })), id);
  assert.equal(messageId(message(LEAST, { messageId: "ñ".repeat(127) })), "ñ".repeat(127));
});

Deno.test("messageId() answers for a body that is no event", () => {
  assert.equal(messageId(message("{ roto", { messageId: "m-1" })), "m-1");
  assert.equal(messageId(message("{ roto")), messageId(message("{ roto")));
  assert.notEqual(messageId(message("{ roto")), messageId(message("{ rota")));
});

Deno.test("decode() reads the times that Python writes", () => {
  const at = (timestamp: string) => read({ ...LEAST, timestamp }).timestamp;
  assert.equal(at("2025-10-01T10:00:00.123456"), "2025-10-01T10:00:00.123Z", "isoformat(), naive");
  assert.equal(at("2025-10-01T10:00:00"), "2025-10-01T10:00:00.000Z", "no fraction");
  assert.equal(at("2025-10-01T10:00:00.123456+00:00"), "2025-10-01T10:00:00.123Z", "aware");
  assert.equal(at("2025-10-01T12:00:00+02:00"), "2025-10-01T10:00:00.000Z", "another zone");
  assert.equal(at("2025-10-01 10:00:00.5"), "2025-10-01T10:00:00.500Z", "str(datetime)");
  assert.equal(at("2025-10-01T10:00:00Z"), "2025-10-01T10:00:00.000Z", "a suffix by hand");
  assert.equal(at("2025-10-01T10:00:00+0000"), "2025-10-01T10:00:00.000Z", "strftime with %z");
  assert.equal(at("2025-10-01"), "2025-10-01T00:00:00.000Z", "a day");
});

Deno.test("decode() takes a time without a zone for UTC, wherever it runs", () => {
  using _zone = timeZone("America/Bogota");
  assert.notEqual(new Date(2025, 0, 1).getUTCHours(), 0, "the machine's zone is another one");
  for (const timestamp of ["2025-10-01T10:00:00.5", "2025-10-01 10:00:00.5"]) {
    assert.equal(read({ ...LEAST, timestamp }).timestamp, "2025-10-01T10:00:00.500Z");
  }
});

Deno.test("decode() falls back to created_at, then the AMQP timestamp, then the time of arrival", () => {
  const created = { ...LEAST, created_at: "2025-10-01T09:00:00" };
  const amqp = { timestamp: 1_759_312_800 };
  assert.equal(read(created, amqp).timestamp, "2025-10-01T09:00:00.000Z");
  assert.equal(read(LEAST, amqp).timestamp, "2025-10-01T10:00:00.000Z");
  assert.equal(read({ ...LEAST, timestamp: null }).timestamp, RECEIVED_AT.toISOString());
  const absurd = { timestamp: Number.MAX_SAFE_INTEGER };
  assert.equal(read(LEAST, absurd).timestamp, RECEIVED_AT.toISOString());
});

Deno.test("decode() keeps unknown fields out of the way", () => {
  assert.deepEqual(read({ ...EVENT, telefono: "+34 600 000 000", rol: null }), { ...EVENT });
});

Deno.test("decode() refuses an invalid message with the reason", () => {
  const refused: [unknown, string][] = [
    ["", "the body is not valid JSON"],
    ["no es JSON {", "the body is not valid JSON"],
    ["null", "the body is not a JSON object"],
    ['["a"]', "the body is not a JSON object"],
    ["7", "the body is not a JSON object"],
    [{ ...LEAST, id: undefined }, 'event_type must be "UsuarioCreado"; user_id is missing'],
    [{ ...EVENT, user_id: undefined }, "user_id is missing"],
    [{ ...EVENT, event_type: "PedidoCreado" }, 'event_type must be "UsuarioCreado"'],
    [{ ...EVENT, event_type: 7 }, 'event_type must be "UsuarioCreado"'],
    [{ ...EVENT, nombre: undefined }, "nombre is missing"],
    [{ ...EVENT, nombre: 7 }, "nombre must be a string"],
    [{ ...EVENT, nombre: null }, "nombre must be a string"],
    [{ ...EVENT, nombre: " \t " }, "nombre must not be empty"],
    [{ ...EVENT, nombre: "á".repeat(201) }, "nombre must have at most 200 characters"],
    [{ ...EVENT, nombre: "Juan\u001b[31m" }, "nombre must not contain control characters"],
    [{ ...EVENT, nombre: "Juan\r\nBcc: x" }, "nombre must not contain control characters"],
    [{ ...EVENT, email: undefined }, "email is missing"],
    [{ ...EVENT, email: "" }, "email must not be empty"],
    [{ ...EVENT, email: ["a@b.es"] }, "email must be a string"],
    [{ ...EVENT, email: "juan@" }, "email must be an email address such as juan@example.com"],
    [{ ...EVENT, email: `${"a".repeat(250)}@b.es` }, "email must have at most 254 characters"],
    [{ ...EVENT, event_id: 9 }, "event_id must be a string"],
    [{ ...EVENT, event_id: "" }, "event_id must not be empty"],
    [{ ...EVENT, event_id: "e".repeat(256) }, "event_id must have at most 255 characters"],
    [{ ...EVENT, user_id: 1.5 }, "user_id must be a string"],
    [{ ...LEAST, id: 2 ** 53 }, "user_id must be a string"],
    [{ ...EVENT, timestamp: "1 de octubre" }, "timestamp must be an ISO 8601 time in UTC"],
    [{ ...EVENT, timestamp: "2025-13-01T10:00:00" }, "timestamp must be an ISO 8601 time in UTC"],
    [{ ...EVENT, timestamp: 1_759_312_800 }, "timestamp must be a string"],
    [{ ...EVENT, nombre: 7, email: "" }, "nombre must be a string; email must not be empty"],
  ];
  for (const [body, reason] of refused) assert.equal(refusal(body), reason);
});

Deno.test("decode() refuses a newer schema_version, and says what is needed", () => {
  assert.equal(
    refusal({ ...EVENT, schema_version: 2 }),
    "schema_version must be 1, got 2: a newer consumer is needed",
  );
});

Deno.test("decode() refuses a message whose AMQP type is another event's", () => {
  assert.equal(refusal(LEAST, { type: "PedidoCreado" }), 'event_type must be "UsuarioCreado"');
});

Deno.test("decode() takes a body of 256 KiB, and refuses one byte more without parsing it", () => {
  const padding = MAX_BODY_BYTES - Buffer.byteLength(JSON.stringify({ ...LEAST, x: "" }));
  assert.equal(read({ ...LEAST, x: "x".repeat(padding) }).user_id, "u-1");
  assert.equal(
    refusal({ ...LEAST, x: "x".repeat(padding + 1) }),
    "the body has 262145 bytes, more than 262144",
  );
});

Deno.test("decode() counts a nombre in characters, not in UTF-16 units", () => {
  assert.equal([...read({ ...LEAST, nombre: "🌱".repeat(200) }).nombre].length, 200);
  assert.equal(
    refusal({ ...LEAST, nombre: "🌱".repeat(201) }),
    "nombre must have at most 200 characters",
  );
});

Deno.test("decode() skips a byte order mark", () => {
  assert.equal(read(`\uFEFF${JSON.stringify(LEAST)}`).nombre, "Juan Pérez");
});

Deno.test("decode() refuses what is no UTF-8, also where it would be JSON in Latin-1", () => {
  assert.equal(refusal(Buffer.from([0x7b, 0xff, 0x7d])), "the body is not valid UTF-8");
  assert.equal(
    refusal(Buffer.from(JSON.stringify(LEAST), "latin1")),
    "the body is not valid UTF-8",
  );
});

Deno.test("decode() refuses a lone surrogate, which no UTF-8 can carry on", () => {
  const body = JSON.stringify({ ...LEAST, nombre: "JUAN" }).replace("JUAN", "Juan \\ud83c");
  assert.equal(refusal(body), "nombre must be well-formed Unicode");
});

Deno.test("decode() takes no field from a __proto__ key", () => {
  const body = `{"id":"u-1","email":"a@example.com","__proto__":{"nombre":"Nadie"}}`;
  assert.match(refusal(body), /nombre is missing/);
  assert.equal(({} as { nombre?: unknown }).nombre, undefined);
});

Deno.test("decode() takes the last of two keys with one name, as every JSON reader here does", () => {
  const body = `{"id":"u-1","nombre":"Ana","nombre":"Inés","email":"i@example.com"}`;
  assert.equal(read(body).nombre, "Inés");
});

/** Reads `candidate` and lets nothing but an event or an {@link InvalidMessageError} pass. */
function readsOrRefuses(content: Uint8Array, properties: Partial<MessageProperties> = {}): void {
  try {
    assert.equal(read(Buffer.from(content), properties).event_type, "UsuarioCreado");
  } catch (error) {
    assert.ok(error instanceof InvalidMessageError, String(error));
    assert.notEqual(error.message, "");
  }
}

Deno.test("decode() throws nothing but InvalidMessageError, for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readsOrRefuses(bytes)));
});

Deno.test("decode() throws nothing but InvalidMessageError, for any JSON and any properties", () => {
  const field = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("UsuarioCreado", "juan@example.com", "2025-10-01T10:00:00", 1, true),
  );
  const names = [...Object.keys(EVENT), "id", "created_at", "simulate_fail", "__proto__"];
  const almost = fc.dictionary(fc.constantFrom(...names), field);
  const properties = fc.record({
    messageId: fc.string(),
    type: fc.string(),
    timestamp: fc.anything(),
  }, {
    requiredKeys: [],
  }) as fc.Arbitrary<Partial<MessageProperties>>;
  fc.assert(
    fc.property(
      fc.oneof(fc.jsonValue(), almost),
      properties,
      (body, properties) => readsOrRefuses(Buffer.from(JSON.stringify(body)), properties),
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("decode() refuses a body that is nested a hundred thousand deep", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  assert.equal(
    refusal(`{"schema_version":${deep}}`),
    "the body is nested more deeply than 64 objects and lists",
  );
});
