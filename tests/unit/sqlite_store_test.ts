/** What a {@link Store} owes: an effect and its inbox row, both or neither, whatever happens. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { DATABASE_FILE, type Migrations, openForReading } from "@ecomarket/shared/store/sqlite";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Effect } from "@ecomarket/shared/store/store";
import type { StoreOwner } from "../../shared/store/store_owner.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const OWNER: StoreOwner = { subscriber: "test", queue: "test_queue" };
const MIGRATIONS: Migrations = ["CREATE TABLE effects (event_id TEXT NOT NULL) STRICT"];
const COMMIT_LOOP = fileURLToPath(new URL("../support/commit_loop.ts", import.meta.url));

function effect(id: string): Effect {
  return [{ sql: "INSERT INTO effects VALUES (?)", params: [id] }];
}

/** The first column of every row that `sql` finds in the store's file, in order. */
function rows(directory: string, sql: string): unknown[] {
  using db = new DatabaseSync(join(directory, DATABASE_FILE), { readOnly: true });
  return db.prepare(sql).all().map((row) => Object.values(row)[0]);
}

const effects = (directory: string) => rows(directory, "SELECT event_id FROM effects ORDER BY 1");
const inbox = (directory: string) => rows(directory, "SELECT event_id FROM inbox ORDER BY 1");

Deno.test("SqliteStore.commit() commits an effect and its inbox row", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  assert.equal(await store.has("e-1"), false);
  assert.equal(await store.commit("e-1", effect("e-1")), "committed");
  assert.equal(await store.has("e-1"), true);
  assert.deepEqual(effects(folder.path), ["e-1"]);
  assert.deepEqual(inbox(folder.path), ["e-1"]);
});

Deno.test("SqliteStore.commit() does nothing for an id that is committed", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  await store.commit("e-1", effect("e-1"));
  assert.equal(await store.commit("e-1", effect("otra vez")), "duplicate");
  assert.deepEqual(effects(folder.path), ["e-1"]);
});

Deno.test("SqliteStore.commit() does one id once also within one group", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  const results = await Promise.all(
    ["e-1", "e-1", "e-2"].map((id) => store.commit(id, effect(id))),
  );
  assert.deepEqual(results, ["committed", "duplicate", "committed"]);
  assert.deepEqual(effects(folder.path), ["e-1", "e-2"]);
});

Deno.test("SqliteStore.has() answers each of those who ask at once about its own id", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  await store.commit("e-1", effect("e-1"));
  await store.commit("e-3", effect("e-3"));
  const asked = ["e-1", "e-2", "e-3", "e-4", "e-1"].map((id) => store.has(id));
  assert.deepEqual(await Promise.all(asked), [true, false, true, false, true]);
  const committed = store.commit("e-4", effect("e-4"));
  assert.equal(await store.has("e-4"), false, "it is not on the disk yet");
  await committed;
  assert.equal(await store.has("e-4"), true);
});

Deno.test("SqliteStore.commit() takes back the effect that fails, and no other of its group", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  const broken: Effect = [
    ...effect("a medias"),
    { sql: "INSERT INTO effects VALUES (?)", params: [null] },
  ];
  const results = await Promise.allSettled([
    store.commit("e-1", effect("e-1")),
    store.commit("e-2", broken),
    store.commit("e-3", [{ sql: "INSERT INTO no_existe VALUES (1)", params: [] }]),
    store.commit("e-4", effect("e-4")),
  ]);
  assert.deepEqual(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  const [, failure] = results;
  assert.ok(failure.status === "rejected" && !(failure.reason instanceof StoreUnavailableError));
  assert.match(failure.reason.message, /NOT NULL/);
  assert.deepEqual(effects(folder.path), ["e-1", "e-4"]);
  assert.deepEqual(inbox(folder.path), ["e-1", "e-4"]);
  assert.equal(await store.commit("e-2", effect("e-2")), "committed", "it may be tried again");
});

Deno.test("SqliteStore.commit() groups what comes at once, and commits more than a group holds", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  const ids = Array.from({ length: 1_201 }, (_, n) => `e-${n}`);
  const results = await Promise.all(ids.map((id) => store.commit(id, effect(id))));
  assert.deepEqual(new Set(results), new Set(["committed"]));
  assert.deepEqual(new Set(effects(folder.path)), new Set(ids));
});

Deno.test("SqliteStore.commit() binds every kind of value, and pastes none into the statement", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, ["CREATE TABLE mixed (a, b, c, d, e)"]);
  const text = "Robert'); DROP TABLE mixed;-- ñ🌱";
  const bytes = new Uint8Array([0, 255]);
  const params = [text, 1.5, 2n ** 40n, null, bytes];
  await store.commit("e-1", [{ sql: "INSERT INTO mixed VALUES (?, ?, ?, ?, ?)", params }]);
  using db = new DatabaseSync(join(folder.path, DATABASE_FILE), { readOnly: true });
  assert.deepEqual(
    Object.values(db.prepare("SELECT * FROM mixed").get()!),
    [text, 1.5, 2 ** 40, null, bytes],
  );
});

Deno.test("SqliteStore.close() commits what waits", async () => {
  await using folder = await temporaryFolder();
  const store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  const committed = store.commit("e-1", effect("e-1"));
  await store.close();
  assert.equal(await committed, "committed");
  assert.deepEqual(effects(folder.path), ["e-1"]);
});

Deno.test("SqliteStore.open() finds again what was committed, and applies no migration twice", async () => {
  await using folder = await temporaryFolder();
  {
    await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
    await store.commit("e-1", effect("e-1"));
  }
  // n.b. CREATE TABLE fails when it is run again.
  const more = [...MIGRATIONS, "ALTER TABLE effects ADD COLUMN note TEXT DEFAULT 'ñ'"];
  {
    await using store = SqliteStore.open(folder.path, OWNER, more);
    assert.equal(await store.commit("e-1", effect("e-1")), "duplicate");
  }
  assert.deepEqual(rows(folder.path, "SELECT note FROM effects"), ["ñ"]);
  await using store = SqliteStore.open(folder.path, OWNER, more);
  assert.equal(await store.has("e-1"), true);
});

Deno.test("SqliteStore.open() lets an older program use a newer store", async () => {
  await using folder = await temporaryFolder();
  const more = [...MIGRATIONS, "CREATE TABLE nueva (id TEXT)"];
  await SqliteStore.open(folder.path, OWNER, more).close();
  await SqliteStore.open(folder.path, OWNER, MIGRATIONS).close();
  await SqliteStore.open(folder.path, OWNER, more).close();
  assert.deepEqual(rows(folder.path, "PRAGMA user_version"), [3]);
});

Deno.test("SqliteStore.open() applies all migrations or none", async () => {
  await using folder = await temporaryFolder();
  assert.throws(() =>
    SqliteStore.open(folder.path, OWNER, [...MIGRATIONS, "CREATE TABEL nueva (id)"])
  );
  assert.deepEqual(rows(folder.path, "SELECT name FROM sqlite_schema"), []);
  await SqliteStore.open(folder.path, OWNER, MIGRATIONS).close();
});

Deno.test("SqliteStore.open() makes every commit wait for the disk", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  assert.deepEqual(rows(folder.path, "PRAGMA journal_mode"), ["wal"]);
  const sql = "INSERT INTO effects SELECT synchronous FROM pragma_synchronous";
  await store.commit("e-1", [{ sql, params: [] }]);
  assert.deepEqual(effects(folder.path), ["2"], "FULL");
});

Deno.test("SqliteStore.commit() says that the store is unavailable while another process holds it", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  using intruder = new DatabaseSync(join(folder.path, DATABASE_FILE));
  intruder.exec("BEGIN IMMEDIATE");
  const commits = await Promise.allSettled(
    ["e-1", "e-2"].map((id) => store.commit(id, effect(id))),
  );
  for (const commit of commits) {
    assert.ok(commit.status === "rejected");
    assert.ok(commit.reason instanceof StoreUnavailableError);
    assert.match(commit.reason.message, /^Cannot commit: database is locked/);
  }
  intruder.exec("ROLLBACK");
  assert.deepEqual(inbox(folder.path), []);
  assert.equal(await store.commit("e-1", effect("e-1")), "committed");
});

Deno.test("SqliteStore.open() says which store it cannot open, and why", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "fichero");
  await Deno.writeTextFile(file, "no es una carpeta");
  const notDatabase = join(folder.path, "rota");
  await Deno.mkdir(notDatabase);
  await Deno.writeTextFile(join(notDatabase, DATABASE_FILE), "no es SQLite ".repeat(100));
  const folderInstead = join(folder.path, "carpeta");
  await Deno.mkdir(join(folderInstead, DATABASE_FILE), { recursive: true });
  for (const directory of [join(file, "email"), notDatabase, folderInstead]) {
    assert.throws(() => SqliteStore.open(directory, OWNER, MIGRATIONS), (error) => {
      assert.ok(error instanceof StoreUnavailableError, String(error));
      assert.ok(
        error.message.startsWith(`Cannot open the store ${join(directory, DATABASE_FILE)}: `),
      );
      return true;
    });
  }
});

Deno.test("SqliteStore.commit() says that the store is unavailable where it may not be written", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  // n.b. a file mode would not do: root may write whatever it says.
  await store.commit("e-1", [{ sql: "PRAGMA query_only = 1", params: [] }]);
  await assert.rejects(store.commit("e-2", effect("e-2")), StoreUnavailableError);
  assert.deepEqual(inbox(folder.path), ["e-1"]);
});

Deno.test("openForReading() answers undefined where there is no store, and never writes", async () => {
  await using folder = await temporaryFolder();
  assert.equal(openForReading(folder.path), undefined);
  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  await store.commit("e-1", effect("e-1"));
  using db = openForReading(folder.path);
  assert.equal(db?.prepare("SELECT count(*) AS n FROM effects").get()?.n, 1);
  assert.throws(() => db?.exec("DELETE FROM effects"), /readonly/);
});

Deno.test("openForReading() says which store it cannot read, and why", async () => {
  await using folder = await temporaryFolder();
  const directory = join(folder.path, "fichero");
  await Deno.writeTextFile(directory, "no es una carpeta");
  assert.throws(() => openForReading(directory), (error) => {
    assert.ok(error instanceof StoreUnavailableError, String(error));
    assert.ok(error.message.startsWith(`Cannot read ${join(directory, DATABASE_FILE)}: `));
    return true;
  });
});

Deno.test("SqliteStore keeps both or neither, and all that it said it had, after kill -9", async () => {
  await using folder = await temporaryFolder();
  const acknowledged: string[] = [];
  // n.b. one death may miss the moment that matters.
  for (let n = 0; n < 5; n++) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", "--no-check", COMMIT_LOOP, folder.path, MIGRATIONS[0]!],
      stdout: "piped",
    }).spawn();
    acknowledged.push(...await linesUntil(child, 100));
    assert.equal((await child.status).signal, "SIGKILL", "it died in the middle of its work");
  }

  await using store = SqliteStore.open(folder.path, OWNER, MIGRATIONS);
  const done = inbox(folder.path);
  assert.ok(acknowledged.length >= 500);
  assert.deepEqual(acknowledged.filter((id) => !done.includes(id)), [], "nothing is lost");
  const twice = rows(
    folder.path,
    "SELECT event_id FROM effects GROUP BY event_id HAVING count(*) = 2 ORDER BY 1",
  );
  assert.deepEqual(twice, done, "each inbox row has the whole of its effect");
  assert.equal(effects(folder.path).length, 2 * done.length, "and no effect is without its row");
  assert.equal(await store.commit("después", effect("después")), "committed");
});

/** The whole lines that `child` printed until it was killed, some time after line number `count`. */
async function linesUntil(child: Deno.ChildProcess, count: number): Promise<string[]> {
  let text = "";
  let killed = false;
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (killed || text.split("\n").length <= count) continue;
    child.kill("SIGKILL");
    killed = true;
  }
  return text.split("\n").slice(0, -1);
}
