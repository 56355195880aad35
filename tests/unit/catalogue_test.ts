/** The catalogue of events, and what every event of it has: a version, older shapes, a refusal. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { MessageProperties } from "amqplib";
import { z } from "zod";
import { InvalidMessageError, NewerEventError } from "@ecomarket/shared/base/errors";
import { type AnyEvent, decode, encode, EVENTS } from "@ecomarket/shared/contract/catalogue";
import {
  type CompraRealizada,
  createCompraRealizada,
} from "@ecomarket/shared/contract/compra_realizada";
import { defineEvent } from "@ecomarket/shared/contract/event";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";

const PURCHASE: CompraRealizada = {
  event_type: "CompraRealizada",
  event_id: "e-1",
  schema_version: 2,
  timestamp: "2026-11-24T10:00:00.000Z",
  purchase_id: "p-1",
  user_id: "u-1",
  total: 12_50,
  currency: "MXN",
  items: [{ sku: "cafe-1kg", quantity: 2 }],
};
const USER = createUsuarioCreado({ user_id: "u-1", nombre: "Juan", email: "juan@example.com" });

function message(body: unknown, properties: Partial<MessageProperties> = {}) {
  const content = Buffer.from(JSON.stringify(body));
  return { content, properties: { headers: {}, ...properties } as MessageProperties };
}

const read = (body: unknown) => EVENTS.CompraRealizada.decode(message(body));
const refuses = (body: unknown, reason: string) =>
  assert.throws(() => read(body), (error) => {
    assert.ok(error instanceof InvalidMessageError);
    assert.equal(error.message, reason);
    return true;
  });

Deno.test("each event of the catalogue stands under its own type, on an exchange of its own", () => {
  for (const [type, definition] of Object.entries(EVENTS)) assert.equal(definition.type, type);
  const exchanges = Object.values(EVENTS).map(({ exchange }) => exchange);
  assert.equal(new Set(exchanges).size, exchanges.length);
});

Deno.test("encode() and decode() of the catalogue know each event by its type", () => {
  const all: readonly AnyEvent[] = [USER, PURCHASE];
  for (const event of all) {
    const { content, options } = encode(event);
    assert.equal(options.type, event.event_type);
    const properties = { ...options, headers: {} } as unknown as MessageProperties;
    assert.deepEqual(decode({ content, properties }, ["UsuarioCreado", "CompraRealizada"]), event);
  }
});

Deno.test("decode() refuses an event that was not asked for, and names those that were", () => {
  assert.throws(() => decode(message(PURCHASE), ["UsuarioCreado"]), /must be "UsuarioCreado"/);
  assert.throws(
    () => decode(message({ event_type: "PedidoCreado" }), ["UsuarioCreado", "CompraRealizada"]),
    /event_type must be "UsuarioCreado" or "CompraRealizada"/,
  );
});

Deno.test("CompraRealizada is written flat, with its items, in this order for ever", () => {
  assert.equal(encode(PURCHASE).content.toString(), JSON.stringify(PURCHASE));
});

Deno.test("createCompraRealizada() gives each purchase an id of its own", () => {
  const { user_id, total, currency, items } = PURCHASE;
  const purchase = { user_id, total, currency, items };
  const [first, second] = [createCompraRealizada(purchase), createCompraRealizada(purchase)];
  assert.notEqual(first.purchase_id, second.purchase_id);
  assert.equal(createCompraRealizada({ ...purchase, purchase_id: "p-7" }).purchase_id, "p-7");
});

Deno.test("CompraRealizada refuses what is no purchase, with the reason", () => {
  const refused: [unknown, string][] = [
    [{ ...PURCHASE, total: 12.5 }, "total must be a whole number of minor units (cents) from 0 up"],
    [{ ...PURCHASE, total: -1 }, "total must be a whole number of minor units (cents) from 0 up"],
    [{ ...PURCHASE, currency: "euros" }, "currency must be an ISO 4217 code such as EUR"],
    [{ ...PURCHASE, items: [] }, "items must have at least one item"],
    [
      { ...PURCHASE, items: [{ sku: "a", quantity: 0 }] },
      "items.0.quantity must be a whole number from 1 up",
    ],
    [{ ...PURCHASE, purchase_id: "" }, "purchase_id must not be empty"],
  ];
  for (const [body, reason] of refused) refuses(body, reason);
});

Deno.test("a purchase of version 1 is brought up to version 2: it was in euros", () => {
  const { currency: _, ...first } = { ...PURCHASE, schema_version: 1 };
  assert.deepEqual(read(first), { ...PURCHASE, currency: "EUR" });
});

Deno.test("a purchase of version 2 must name its currency", () => {
  const { currency: _, ...without } = PURCHASE;
  refuses(without, "currency is missing");
});

Deno.test("a consumer that is older than the event says so, with an error of its own", () => {
  const older = defineEvent({
    type: "CompraRealizada",
    version: 1,
    exchange: "purchase_events",
    schema: z.object({ purchase_id: z.string() }),
  });
  assert.throws(() => older.decode(message(PURCHASE)), (error) => {
    assert.ok(error instanceof NewerEventError);
    assert.match(error.message, /schema_version must be 1, got 2: a newer consumer is needed/);
    return true;
  });
});

Deno.test("upcasts go from version to version, in order", () => {
  const third = defineEvent({
    type: "Tercero",
    version: 3,
    exchange: "third_events",
    schema: z.object({ name: z.string(), steps: z.array(z.string()) }),
    upcasts: {
      1: ({ nombre, ...body }) => ({ ...body, name: nombre, steps: ["1→2"] }),
      2: (body) => ({ ...body, steps: [...(body.steps as string[] ?? []), "2→3"] }),
    },
  });
  const steps = (body: unknown) => third.decode(message(body, { type: "Tercero" })).steps;
  assert.deepEqual(steps({ schema_version: 1, nombre: "a" }), ["1→2", "2→3"]);
  assert.deepEqual(steps({ nombre: "a" }), ["1→2", "2→3"], "no version is version 1");
  assert.deepEqual(steps({ schema_version: 2, name: "a" }), ["2→3"]);
  assert.deepEqual(steps({ schema_version: 3, name: "a", steps: [] }), []);
  assert.throws(() => steps({ schema_version: 0, name: "a" }), /schema_version must be 3/);
});
