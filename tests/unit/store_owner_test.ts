/** One inbox, one subscriber: whom a store lets in, and whom not. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { StoreOwnerError } from "@ecomarket/shared/base/errors";
import type { Migrations } from "@ecomarket/shared/store/sqlite";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { StoreOwner } from "../../shared/store/store_owner.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const OWNER: StoreOwner = { subscriber: "test", queue: "test_queue" };
const MIGRATIONS: Migrations = ["CREATE TABLE effects (event_id TEXT NOT NULL) STRICT"];
const CLAIM_STORE = fileURLToPath(new URL("../support/claim_store.ts", import.meta.url));

Deno.test("SqliteStore.open() refuses a copied consumer that has only another queue", async () => {
  await using folder = await temporaryFolder();
  {
    await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
    await store.commit("e-1", []);
  }
  const other = { ...OWNER, queue: "other_queue" };
  // n.b. its migration would fail as well: whose store it is has to be said first.
  const migrations = [...MIGRATIONS, "CREATE TABLE effects (other TEXT)"];
  assert.throws(() => SqliteStore.open(folder.path, other, migrations), (error) => {
    assert.ok(error instanceof StoreOwnerError, String(error));
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /belongs to the subscriber "test" of "test_queue"/);
    assert.match(error.message, /Give the new consumer a "name" of its own/);
    return true;
  });
  const renamed = { ...OWNER, subscriber: "other" };
  assert.throws(() => SqliteStore.open(folder.path, renamed, MIGRATIONS), StoreOwnerError);
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  assert.equal(await store.has("e-1"), true, "its owner has it as it was");
});

Deno.test("SqliteStore.open() gives a store that is older than its owner's table to who opens it next", async () => {
  await using folder = await temporaryFolder();
  {
    await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
    await store.commit("e-1", []);
    await store.commit("e-2", [{ sql: "DROP TABLE store_owner", params: [] }]);
  }
  // n.b. fails unless the migrations are counted as before.
  const more = [...MIGRATIONS, "ALTER TABLE effects ADD COLUMN note TEXT"];
  {
    await using store = SqliteStore.open(folder.path, OWNER, more);
    assert.equal(await store.has("e-1"), true);
  }
  const other = { ...OWNER, queue: "other_queue" };
  assert.throws(() => SqliteStore.open(folder.path, other, more), StoreOwnerError);
});

Deno.test("SqliteStore.open() gives a store to one of two processes that open it at once", async () => {
  await using folder = await temporaryFolder();
  const claims = ["one_queue", "other_queue"].map(async (queue) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", "--no-check", CLAIM_STORE, folder.path, queue],
    });
    const { code, stderr } = await child.output();
    return { queue, code, said: new TextDecoder().decode(stderr) };
  });
  const [first, second] = (await Promise.all(claims)).sort((a, b) => a.code - b.code);
  assert.deepEqual([first?.code, second?.code], [0, 2], `${first?.said} ${second?.said}`);
  const owner = { subscriber: "test", queue: first!.queue };
  await SqliteStore.open(folder.path, owner, []).close();
});
