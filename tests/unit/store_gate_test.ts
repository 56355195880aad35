/** The way to a store that may be away, with a real store that somebody else locks. */
import assert from "node:assert/strict";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { roleLogger } from "@ecomarket/shared/process/log";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Store } from "@ecomarket/shared/store/store";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { StoreGate } from "../../shared/subscriber/store_gate.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const PATIENCE_MS = 100;
const OWNER = { subscriber: "test", queue: "test_queue" };
const MIGRATIONS = ["CREATE TABLE handled (user_id TEXT NOT NULL)"];
const done = (user: string) => [{ sql: "INSERT INTO handled VALUES (?)", params: [user] }];

/** A gate before a store of its own, and how often that store was asked whether it can be written. */
async function open() {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await temporaryFolder());
  const opened = cleanup.use(SqliteStore.open(folder.path, OWNER, MIGRATIONS));
  let checks = 0;
  const store: Store = {
    has: (id) => opened.has(id),
    commit: (id, effect) => opened.commit(id, effect),
    checkWritable: () => (checks++, opened.checkWritable()),
    notePause: (pause) => opened.notePause(pause),
    forget: (...part) => opened.forget(...part),
    close: () => opened.close(),
    [Symbol.asyncDispose]: () => opened.close(),
  };
  const gate = new StoreGate(store, roleLogger("test"), PATIENCE_MS);
  const changes: boolean[] = [];
  gate.onChange = () => void changes.push(gate.isAway);
  cleanup.defer(async () => void await gate.close(AbortSignal.abort()));
  const moved = cleanup.move();
  return {
    gate,
    store,
    changes,
    checks: () => checks,
    lock: () => lockStore(folder.path),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

Deno.test("StoreGate.whenWritable() asks once for all who wait, and not again after a commit", async () => {
  await using opened = await open();
  const { gate, checks } = opened;
  await Promise.all([gate.whenWritable(), gate.whenWritable(), gate.whenWritable()]);
  assert.equal(checks(), 1);
  await gate.commit("e-1", done("u-1"));
  await gate.whenWritable();
  assert.equal(checks(), 1);
});

Deno.test("StoreGate lets go of who waits when its patience is over, and is away until the store is back", async () => {
  await using opened = await open();
  const { gate, changes, lock } = opened;
  {
    using _lock = lock();
    await assert.rejects(gate.whenWritable(), StoreUnavailableError);
    await eventually(() => assert.deepEqual(changes, [true]));
  }
  await eventually(() => assert.deepEqual(changes, [true, false]));
  await gate.whenWritable();
});

Deno.test("StoreGate.commit() keeps an effect beyond its patience, and commits it once", async () => {
  await using opened = await open();
  const { gate, store, lock } = opened;
  {
    using _lock = lock();
    await assert.rejects(gate.commit("e-1", done("u-1")), StoreUnavailableError);
    await assert.rejects(gate.pending("e-1"), StoreUnavailableError);
  }
  await eventually(async () => assert.ok(await store.has("e-1")));
  await gate.pending("e-1");
  assert.equal(await gate.commit("e-1", done("u-1")), "duplicate");
});

Deno.test("StoreGate is back also when the database refuses what was kept", async () => {
  await using opened = await open();
  const { gate, changes, lock } = opened;
  {
    using _lock = lock();
    const refused = gate.commit("e-1", [{ sql: "INSERT INTO nowhere VALUES (1)", params: [] }]);
    await assert.rejects(refused, StoreUnavailableError);
    await eventually(() => assert.deepEqual(changes, [true]));
  }
  await eventually(() => assert.deepEqual(changes, [true, false]));
  await gate.pending("e-1");
  assert.equal(await gate.commit("e-1", done("u-1")), "committed", "it can be done again");
});

Deno.test("StoreGate.close() tells how many finished effects it gave up", async () => {
  await using opened = await open();
  const { gate, store, lock } = opened;
  {
    using _lock = lock();
    await assert.rejects(gate.commit("e-1", done("u-1")), StoreUnavailableError);
    assert.equal(await gate.close(AbortSignal.abort()), 1);
  }
  assert.equal(await store.has("e-1"), false);
});
