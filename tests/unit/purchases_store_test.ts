/** What the API's store owes a purchase: it, its event and its answer, all or none. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { DATABASE_FILE, SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { ApiStore } from "../../publisher/api/api_store.ts";
import { fingerprint } from "../../publisher/api/idempotency.ts";
import type { PurchaseOutcome } from "../../publisher/api/purchases.ts";
import type { RequestResult } from "../../publisher/api/recorder.ts";
import { API_MIGRATIONS } from "../../publisher/api/tables.ts";
import type { OutboxPart } from "../../publisher/outbox/outbox.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const NOW = new Date("2026-03-01T12:00:00.000Z");
const ITEMS = [{ sku: "café-1kg", quantity: 2 }, { sku: "taza", quantity: 1 }];

/** A purchase of a user who is registered in `store`, whose own event has left. */
async function purchaseOfAna(store: ApiStore) {
  const result = await store.users.register({ nombre: "Ana", email: "ana@example.com" });
  assert.ok(result.kind === "done" && result.outcome.kind === "created");
  await store.outbox.confirm(store.outbox.pending(0, 1), NOW);
  const { user_id } = result.outcome.user;
  return { user_id, total: Number.MAX_SAFE_INTEGER, currency: "MXN", items: ITEMS };
}

function created(result: RequestResult<PurchaseOutcome>) {
  assert.ok(result.kind === "done" && result.outcome.kind === "created");
  return result.outcome.purchase;
}

function rows(directory: string, sql: string): Record<string, unknown>[] {
  using db = new DatabaseSync(join(directory, DATABASE_FILE), { readOnly: true });
  return db.prepare(sql).all().map((row) => ({ ...row }));
}

Deno.test("add() commits a purchase and its event, whose JSON is kept as it will be published", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const purchase = await purchaseOfAna(store);
  const added = created(await store.purchases.add(purchase, undefined, NOW));
  assert.deepEqual(store.purchases.find(added.purchase_id), added);
  assert.equal(store.purchases.find("ninguna"), undefined);
  const [row, ...others] = store.outbox.pending(0, 10);
  assert.equal(others.length, 0);
  const expected = {
    event_type: "CompraRealizada",
    event_id: added.event_id,
    schema_version: 2,
    timestamp: NOW.toISOString(),
    purchase_id: added.purchase_id,
    ...purchase,
  };
  assert.equal(row!.event, JSON.stringify(expected));
  assert.equal(row!.eventId, added.event_id);
});

Deno.test("add() takes a purchase of a registered user and with an id of its own, and no other beside it", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const ofAna = await purchaseOfAna(store);
  const requests = [
    { ...ofAna, purchase_id: "p-1" },
    { ...ofAna, purchase_id: "p-1", total: 7 },
    { ...ofAna, user_id: "nadie" },
    { ...ofAna, purchase_id: "p-2" },
  ];
  const results = await Promise.all(requests.map((request) => store.purchases.add(request)));
  assert.deepEqual(
    results.map((result) => result.kind === "done" && result.outcome.kind),
    ["created", "id-taken", "unknown-user", "created"],
  );
  assert.equal(store.outbox.pending(0, 10).length, 2);
  assert.equal(rows(folder.path, "SELECT * FROM purchases").length, 2);
});

Deno.test("add() makes one purchase of many requests with one key at once, also after the store was closed", async () => {
  await using folder = await temporaryFolder();
  const key = { key: "k-1", fingerprint: fingerprint("a") };
  let ids: string[];
  let ofAna;
  {
    using store = ApiStore.open(folder.path);
    const purchase = ofAna = await purchaseOfAna(store);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => store.purchases.add(purchase, key)),
    );
    ids = results.map((result) => created(result).purchase_id);
  }
  using store = ApiStore.open(folder.path);
  ids.push(created(await store.purchases.add(ofAna, key)).purchase_id);
  assert.equal(new Set(ids).size, 1);
  assert.equal(store.outbox.pending(0, 50).length, 1);
});

Deno.test("add() records nothing while another process holds the store", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const purchase = await purchaseOfAna(store);
  using intruder = new DatabaseSync(join(folder.path, DATABASE_FILE));
  intruder.exec("BEGIN IMMEDIATE");
  await assert.rejects(store.purchases.add(purchase), StoreUnavailableError);
  intruder.exec("ROLLBACK");
  assert.deepEqual(rows(folder.path, "SELECT * FROM purchases"), []);
  assert.deepEqual(store.outbox.pending(0, 10), []);
});

Deno.test("Outbox notes when a purchase was announced, the first time it is confirmed", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const purchase = await purchaseOfAna(store);
  for (const purchase_id of ["p-1", "p-2"]) {
    await store.purchases.add({ ...purchase, purchase_id });
  }
  const [first] = store.outbox.pending(0, 10);
  await store.outbox.confirm([first!], NOW);
  await store.outbox.confirm([first!], new Date());
  assert.deepEqual(
    rows(folder.path, "SELECT purchase_id AS id, announced_at AS at FROM purchases ORDER BY 1"),
    [{ id: "p-1", at: NOW.toISOString() }, { id: "p-2", at: null }],
  );
  assert.equal(store.outbox.pending(0, 10).length, 1);
});

Deno.test("open() adds the purchases to a store from before there were any, and keeps what is in it", async () => {
  await using folder = await temporaryFolder();
  const before = API_MIGRATIONS.findIndex((sql) => sql.includes("purchases"));
  SqliteDatabase.open(folder.path, API_MIGRATIONS.slice(0, before)).close();
  {
    using old = new DatabaseSync(join(folder.path, DATABASE_FILE));
    old.exec("INSERT INTO users VALUES ('u-1', 'Ana', 'ana@example.com', '2026', 'e-1', NULL)");
    old.exec("INSERT INTO outbox (event_id, event, appended_at_ms) VALUES ('e-1', '{}', 0)");
  }
  using store = ApiStore.open(folder.path);
  assert.equal(store.outbox.pending(0, 10, { only: "UsuarioCreado" }).length, 1);
  const purchase = { user_id: "u-1", total: 0, currency: "MXN", items: ITEMS };
  assert.equal(created(await store.purchases.add(purchase)).user_id, "u-1");
});

Deno.test("Outbox gives the events of one type, or all but those, in their order", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const purchase = await purchaseOfAna(store);
  const ids: string[] = [];
  for (const n of [1, 2]) {
    ids.push(created(await store.purchases.add(purchase)).event_id);
    await store.users.register({ nombre: "Eva", email: `eva${n}@example.com` });
  }
  const idsOf = (part: OutboxPart) =>
    store.outbox.pending(0, 9, part).map(({ eventId }) => eventId);
  assert.deepEqual(idsOf({ only: "CompraRealizada" }), ids);
  assert.deepEqual(idsOf({ allBut: ["UsuarioCreado"] }), ids);
  assert.equal(idsOf({ allBut: ["CompraRealizada"] }).length, 2);
});
