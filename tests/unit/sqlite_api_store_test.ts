/** The store of the users API in SQLite: what every store owes, and what is special to a file. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { DATABASE_FILE, SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { openSqliteApiStore, StoreInUseError } from "../../publisher/api/sqlite_api_store.ts";
import { SQLITE_API_MIGRATIONS } from "../../publisher/api/sqlite_tables.ts";
import {
  ana,
  createdPurchase,
  createdUser,
  ITEMS,
  purchaseOfAna,
  testApiStore,
} from "../conformance/api_store.ts";
import { testOutbox } from "../conformance/outbox.ts";
import { newSqlitePlace } from "../conformance/sqlite_place.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { waiting } from "../support/waiting.ts";

testApiStore("SQLite", newSqlitePlace);
testOutbox("SQLite", newSqlitePlace);

Deno.test("register() and add() record nothing while another process holds the file", async () => {
  await using folder = await temporaryFolder();
  await using store = openSqliteApiStore(folder.path);
  const purchase = await purchaseOfAna(store);
  using intruder = new DatabaseSync(join(folder.path, DATABASE_FILE));
  intruder.exec("BEGIN IMMEDIATE");
  await assert.rejects(store.users.register(ana("-2")), StoreUnavailableError);
  await assert.rejects(store.purchases.add(purchase), StoreUnavailableError);
  await assert.rejects(store.keys.prune(new Date()), StoreUnavailableError);
  await assert.rejects(store.checkWritable(), StoreUnavailableError);
  intruder.exec("ROLLBACK");
  await store.checkWritable();
  assert.deepEqual(await waiting(store.outbox), []);
  assert.equal(createdUser(await store.users.register(ana("-2"))).email, ana("-2").email);
});

Deno.test("openSqliteApiStore() refuses a store that is open already, names it, and leaves it free once it is closed", async () => {
  await using folder = await temporaryFolder();
  {
    await using store = openSqliteApiStore(folder.path);
    assert.throws(() => openSqliteApiStore(folder.path), (error) => {
      assert.ok(error instanceof StoreInUseError);
      assert.ok(error.message.includes(folder.path));
      assert.match(error.message, /DATA_DIR/);
      return true;
    });
    createdUser(await store.users.register(ana()));
  }
  await using store = openSqliteApiStore(folder.path);
  assert.equal((await waiting(store.outbox)).length, 1);
});

Deno.test("openSqliteApiStore() that fails leaves the store free", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, DATABASE_FILE);
  await Deno.writeTextFile(file, "this is no database, and SQLite says so");
  assert.throws(() => openSqliteApiStore(folder.path), StoreUnavailableError);
  await Deno.remove(file);
  await using _store = openSqliteApiStore(folder.path);
});

Deno.test("openSqliteApiStore() adds the purchases to a store from before there were any, and keeps what is in it", async () => {
  await using folder = await temporaryFolder();
  const before = SQLITE_API_MIGRATIONS.findIndex((sql) => sql.includes("purchases"));
  SqliteDatabase.open(folder.path, SQLITE_API_MIGRATIONS.slice(0, before)).close();
  {
    using old = new DatabaseSync(join(folder.path, DATABASE_FILE));
    old.exec("INSERT INTO users VALUES ('u-1', 'Ana', 'ana@example.com', '2026', 'e-1', NULL)");
    old.exec("INSERT INTO outbox (event_id, event, appended_at_ms) VALUES ('e-1', '{}', 0)");
  }
  await using store = openSqliteApiStore(folder.path);
  assert.equal((await waiting(store.outbox, { part: { only: "UsuarioCreado" } })).length, 1);
  const purchase = { user_id: "u-1", total: 0, currency: "MXN", items: ITEMS };
  assert.equal(createdPurchase(await store.purchases.add(purchase)).user_id, "u-1");
});
