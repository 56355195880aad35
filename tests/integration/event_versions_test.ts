/** An event of two versions, while consumers of both run: what each does with either. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import {
  type CompraRealizada,
  createCompraRealizada,
} from "@ecomarket/shared/contract/compra_realizada";
import { defineEvent, type EventOf } from "@ecomarket/shared/contract/event";
import {
  PURCHASE_EVENTS_EXCHANGE,
  retryExchange,
  subscriberSlice,
} from "@ecomarket/shared/contract/topology";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { openForReading } from "@ecomarket/shared/store/sqlite";
import { type Consumer, eventConsumer } from "@ecomarket/shared/subscriber";
import { analytics } from "../../consumers/analytics.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const NAME = "purchases";
const QUEUE = "purchases_queue";
const TABLE = "CREATE TABLE purchases (event_id TEXT NOT NULL)";
const AT = new Date("2026-11-24T10:00:00Z");

/** `CompraRealizada` as it was at first. */
const First = defineEvent({
  type: "CompraRealizada",
  version: 1,
  exchange: PURCHASE_EVENTS_EXCHANGE,
  schema: z.object({ purchase_id: z.string(), user_id: z.string(), total: z.number() }),
});

/** A subscriber as it was built when version 1 was all there was. */
const older: Consumer<EventOf<typeof First>> = {
  name: NAME,
  migrations: [TABLE],
  spec: (delaysMs) => ({
    name: NAME,
    queue: QUEUE,
    topology: subscriberSlice({ queue: QUEUE, exchanges: [PURCHASE_EVENTS_EXCHANGE] }, delaysMs),
    failure: { kind: "retry", delaysMs },
    decode(message) {
      const event = First.decode(message);
      return { id: event.event_id, payload: event };
    },
    handle: ({ event_id }) => [
      { sql: "INSERT INTO purchases VALUES (?)", params: [event_id] },
    ],
  }),
};

/** The same subscriber, brought up to date. */
const newer = eventConsumer({
  name: NAME,
  queue: QUEUE,
  migrations: [TABLE, "ALTER TABLE purchases ADD COLUMN currency TEXT"],
  on: {
    CompraRealizada: ({ event_id, currency }) => [
      { sql: "INSERT INTO purchases VALUES (?, ?)", params: [event_id, currency] },
    ],
  },
});

function purchase(purchase_id: string, total: number, currency: string): CompraRealizada {
  const items = [{ sku: "cafe-1kg", quantity: 2 }];
  return createCompraRealizada({ purchase_id, user_id: "u-1", total, currency, items }, AT);
}

/** `purchase` as a publisher of version 1 writes it. */
function ofVersion1(purchase: CompraRealizada): Omit<CompraRealizada, "currency"> {
  const { currency: _, ...rest } = purchase;
  return { ...rest, schema_version: 1 };
}

/** Publishes `body` on the purchases' exchange. @returns its bytes. */
function publish(bench: Bench, body: { readonly event_id: string }): string {
  const text = JSON.stringify(body);
  const options = {
    messageId: body.event_id,
    type: "CompraRealizada",
    headers: { "x-mine": "kept" },
  };
  bench.publishRaw(text, options, PURCHASE_EVENTS_EXCHANGE);
  return text;
}

/** The rows of `sql` in the store of `consumer`. */
function rows(bench: Bench, consumer: string, sql: string): unknown[] {
  const db = openForReading(join(bench.directory, consumer));
  assert.ok(db, `${consumer} has no store yet`);
  try {
    return db.prepare(sql).all().map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

/** Runs the older subscriber, once its queue is bound. */
async function runOlder(bench: Bench): Promise<AsyncDisposable> {
  const running = bench.run(older);
  await eventually(async () => assert.equal((await bench.status(QUEUE)).consumers, 1));
  return running;
}

Deno.test("a consumer that is older than an event keeps it at once as a dead letter, untouched, and goes on", async () => {
  await using bench = await Bench.open(broker);
  await using _running = await runOlder(bench);
  const second = purchase("p-1", 250_00, "MXN");
  const body = publish(bench, second);
  const later = ofVersion1(purchase("p-2", 12_50, "EUR"));
  publish(bench, later);

  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
  const { content, properties } = await bench.only("dead_letter_queue");
  assert.equal(content.toString(), body);
  assert.equal(properties.messageId, second.event_id);
  const headers = properties.headers ?? {};
  assert.equal(headers["x-mine"], "kept");
  assert.equal(headers["x-failure-reason"], "newer-event");
  assert.equal(headers["x-origin-queue"], QUEUE);
  assert.equal(headers["x-retries"], 0, "it was not tried again: that would change nothing");
  assert.equal(
    headers["x-failure-message"],
    "schema_version must be 1, got 2: a newer consumer is needed",
  );
  await eventually(() =>
    assert.deepEqual(rows(bench, NAME, "SELECT * FROM purchases"), [{ event_id: later.event_id }])
  );
});

Deno.test("what an older consumer kept has its effect once a newer one is sent it back", async () => {
  await using bench = await Bench.open(broker);
  const second = purchase("p-1", 250_00, "MXN");
  {
    await using _older = await runOlder(bench);
    publish(bench, second);
    await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
  }
  const { content, properties: { messageId, headers } } = await bench.only("dead_letter_queue");
  await using _newer = bench.run(newer);
  bench.channel.publish(retryExchange(QUEUE), QUEUE, content, { messageId, headers });
  await eventually(() =>
    assert.deepEqual(rows(bench, NAME, "SELECT * FROM purchases"), [
      { event_id: second.event_id, currency: "MXN" },
    ])
  );
});

Deno.test("loyalty and analytics handle purchases of version 1 and of version 2, and each what it says", async () => {
  await using bench = await Bench.open(broker);
  await using _loyalty = bench.run(loyalty);
  await using _analytics = bench.run(analytics);
  const ana = { user_id: "u-1", nombre: "Ana", email: "ana@example.com" };
  bench.publishRaw(createUsuarioCreado(ana, AT));
  publish(bench, ofVersion1(purchase("p-1", 12_50, "EUR")));
  publish(bench, purchase("p-2", 7_99, "EUR"));
  publish(bench, purchase("p-3", 250_00, "MXN"));

  await eventually(() =>
    assert.deepEqual(
      rows(bench, "analytics", "SELECT * FROM sales_per_day ORDER BY currency"),
      [
        { day: "2026-11-24", currency: "EUR", sales: 2, total: 12_50 + 7_99 },
        { day: "2026-11-24", currency: "MXN", sales: 1, total: 250_00 },
      ],
    )
  );
  await eventually(() =>
    assert.deepEqual(rows(bench, "loyalty", "SELECT user_id, points FROM accounts"), [
      { user_id: "u-1", points: 100 + 12 + 7 + 250 },
    ])
  );
  assert.equal(await bench.depth("dead_letter_queue"), 0);
  assert.equal(await bench.depth("email_queue"), 1, "the signup, and no purchase");
});
