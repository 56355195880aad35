/** What the API's store owes a user: it, its event and its answer, all or none, each request its own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import { fingerprint, KEY_LIFETIME_MS } from "../../publisher/api/idempotency.ts";
import { ApiStore, StoreInUseError } from "../../publisher/api/api_store.ts";
import type { RequestResult } from "../../publisher/api/recorder.ts";
import type { Registration } from "../../publisher/api/users.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const NOW = new Date("2026-03-01T12:00:00.000Z");

function ana(n: number | string = "") {
  return { nombre: "Ana Ñáñez", email: `ana${n}@example.com` };
}

function key(key: string, ...parts: string[]) {
  return { key, fingerprint: fingerprint(...parts) };
}

function created(result: RequestResult<Registration>) {
  assert.ok(result.kind === "done" && result.outcome.kind === "created");
  return result.outcome.user;
}

function rows(directory: string, sql: string): Record<string, unknown>[] {
  using db = new DatabaseSync(join(directory, DATABASE_FILE), { readOnly: true });
  return db.prepare(sql).all().map((row) => ({ ...row }));
}

Deno.test("register() commits a user and its event, whose JSON is kept as it will be published", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const user = created(await store.users.register(ana(), undefined, NOW));
  assert.deepEqual(store.users.find(user.user_id), user);
  assert.equal(store.users.find("nadie"), undefined);
  const [row, ...others] = store.outbox.pending(0, 10);
  assert.equal(others.length, 0);
  assert.deepEqual(JSON.parse(row!.event), {
    event_type: "UsuarioCreado",
    event_id: user.event_id,
    schema_version: 1,
    timestamp: NOW.toISOString(),
    user_id: user.user_id,
    ...ana(),
  });
  assert.equal(row!.eventId, user.event_id);
});

Deno.test("register() refuses an email that is taken, in whatever case, and no other request beside it", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const upper = { nombre: "Otra", email: "ANA1@Example.COM" };
  const results = await Promise.all(
    [ana(1), upper, ana(2)].map((user) => store.users.register(user)),
  );
  assert.deepEqual(
    results.map((result) => result.kind === "done" && result.outcome.kind),
    ["created", "email-taken", "created"],
  );
  assert.equal(store.outbox.pending(0, 10).length, 2);
  assert.equal(rows(folder.path, "SELECT * FROM users").length, 2);
});

Deno.test("register() answers a repeated key with the first result, also after the store was closed", async () => {
  await using folder = await temporaryFolder();
  const again = key("k-1", "a");
  let first: RequestResult<Registration>;
  {
    using store = ApiStore.open(folder.path);
    first = await store.users.register(ana(), again, NOW);
  }
  using store = ApiStore.open(folder.path);
  const second = await store.users.register(ana(), again, NOW);
  assert.deepEqual(second, { ...first, isReplay: true });
  assert.equal(store.outbox.pending(0, 10).length, 1);
  const taken = await store.users.register(ana(), key("k-2", "a"), NOW);
  assert.deepEqual(await store.users.register(ana(), key("k-2", "a"), NOW), {
    ...taken,
    isReplay: true,
  });
});

Deno.test("register() makes one user of many requests with one key at once, and gives all of them its answer", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const results = await Promise.all(
    Array.from({ length: 20 }, () => store.users.register(ana(), key("k-1", "a"))),
  );
  assert.equal(new Set(results.map((result) => created(result).user_id)).size, 1);
  assert.equal(results.filter((result) => result.kind === "done" && !result.isReplay).length, 1);
  assert.equal(store.outbox.pending(0, 50).length, 1);
});

Deno.test("register() refuses a key that was used for another request", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  await store.users.register(ana(1), key("k-1", "a"));
  assert.deepEqual(await store.users.register(ana(2), key("k-1", "b")), { kind: "key-reused" });
  assert.equal(rows(folder.path, "SELECT * FROM users").length, 1);
});

Deno.test("register() forgets a key after a day, and clears it away", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const at = (ms: number) => new Date(NOW.getTime() + ms);
  await store.users.register(ana(1), key("k-1", "a"), NOW);
  await store.users.register(ana(2), key("k-2", "b"), NOW);
  const late = await store.users.register(ana(1), key("k-1", "a"), at(KEY_LIFETIME_MS - 1));
  assert.equal(late.kind === "done" && late.isReplay, true);
  const fresh = await store.users.register(ana(3), key("k-1", "c"), at(KEY_LIFETIME_MS));
  assert.equal(fresh.kind === "done" && fresh.isReplay, false);
  assert.deepEqual(rows(folder.path, "SELECT key FROM idempotency_keys"), [{ key: "k-1" }]);
});

Deno.test("register() says that the store is unavailable while another process holds it, and registers nobody", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  using intruder = new DatabaseSync(join(folder.path, DATABASE_FILE));
  intruder.exec("BEGIN IMMEDIATE");
  await assert.rejects(store.users.register(ana()), StoreUnavailableError);
  await assert.rejects(store.checkWritable(), StoreUnavailableError);
  intruder.exec("ROLLBACK");
  await store.checkWritable();
  assert.deepEqual(rows(folder.path, "SELECT * FROM users"), []);
  assert.equal(created(await store.users.register(ana())).email, ana().email);
});

Deno.test("checkWritable() writes, and changes nothing that anybody registered", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const user = created(await store.users.register(ana()));
  const wal = () => Deno.statSync(join(folder.path, `${DATABASE_FILE}-wal`)).size;
  const before = wal();
  await store.checkWritable();
  assert.ok(wal() > before, "it was a real write");
  assert.deepEqual(rows(folder.path, "SELECT event_id FROM users"), [{ event_id: user.event_id }]);
  assert.equal(store.outbox.pending(0, 10).length, 1);
});

Deno.test("Outbox keeps the order of commits, and lets go of what is confirmed alone", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push(created(await store.users.register(ana(n))).event_id);
  const waiting = () => store.outbox.pending(0, 10).map(({ eventId }) => eventId);
  assert.deepEqual(waiting(), ids);
  const [first, second, third] = store.outbox.pending(0, 3);
  assert.deepEqual(store.outbox.pending(first!.position, 2), [second, third]);

  await store.outbox.confirm([first!, third!], NOW);
  assert.deepEqual(waiting(), [ids[1], ids[3], ids[4]]);
  await store.outbox.confirm([first!], new Date());
  const announced = rows(
    folder.path,
    "SELECT event_id AS id, announced_at AS at FROM users WHERE announced_at IS NOT NULL",
  );
  const expected = [ids[0], ids[2]].map((id) => ({ id, at: NOW.toISOString() }));
  assert.deepEqual(announced.sort(byId), expected.sort(byId), "the first time counts");
});

function byId(a: Record<string, unknown>, b: Record<string, unknown>): number {
  return String(a.id).localeCompare(String(b.id));
}

Deno.test("Outbox gives no confirmed position to another event", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  await store.users.register(ana(1));
  const [first] = store.outbox.pending(0, 1);
  await store.outbox.confirm([first!], NOW);
  await store.users.register(ana(2));
  assert.ok(store.outbox.pending(0, 1)[0]!.position > first!.position);
});

Deno.test("Outbox tells how much waits, and how long the first has waited", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const later = (ms: number) => new Date(NOW.getTime() + ms);
  assert.deepEqual(store.outbox.backlog(NOW), { events: 0, oldestAgeMs: 0 });
  await store.users.register(ana(1), undefined, NOW);
  await store.users.register(ana(2), undefined, later(500));
  assert.deepEqual(store.outbox.backlog(later(2_000)), { events: 2, oldestAgeMs: 2_000 });
  assert.equal(store.outbox.backlog(later(-9_000)).oldestAgeMs, 0, "the clock was set back");
});

Deno.test("Outbox tells its listener of what is new, once it can be read, and of nothing else", async () => {
  await using folder = await temporaryFolder();
  using store = ApiStore.open(folder.path);
  const seen: number[] = [];
  store.outbox.onAppended = () => seen.push(store.outbox.pending(0, 10).length);
  await store.users.register(ana(1), key("k-1", "a"));
  await store.users.register(ana(1), key("k-1", "a"));
  await store.users.register(ana(1), key("k-1", "b"));
  assert.deepEqual(seen, [1]);
});

Deno.test("open() refuses a store that is open already, names it, and leaves it free once it is closed", async () => {
  await using folder = await temporaryFolder();
  {
    using store = ApiStore.open(folder.path);
    assert.throws(() => ApiStore.open(folder.path), (error) => {
      assert.ok(error instanceof StoreInUseError);
      assert.ok(error.message.includes(folder.path));
      assert.match(error.message, /DATA_DIR/);
      return true;
    });
    created(await store.users.register(ana()));
  }
  using store = ApiStore.open(folder.path);
  assert.equal(store.outbox.pending(0, 10).length, 1);
});

Deno.test("open() that fails leaves the store free", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, DATABASE_FILE);
  await Deno.writeTextFile(file, "this is no database, and SQLite says so");
  assert.throws(() => ApiStore.open(folder.path), StoreUnavailableError);
  await Deno.remove(file);
  ApiStore.open(folder.path).close();
});
