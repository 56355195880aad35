/** What a {@link Store} owes, whatever database it is in: an effect and its inbox row, both or neither. */
import assert from "node:assert/strict";
import { tryAgain } from "@ecomarket/shared/base/backoff";
import { StoreOwnerError, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import type { Effect, Store, StoreMigrations } from "@ecomarket/shared/store/store";
import type { StoreOwner } from "../../shared/store/store_owner.ts";
import { storeKinds, type StorePlace } from "../support/store_kinds.ts";

const OWNER: StoreOwner = { subscriber: "test", queue: "test_queue" };
const MIGRATIONS: StoreMigrations = ["CREATE TABLE effects (event_id TEXT NOT NULL, note TEXT)"];

function effect(id: string): Effect {
  return [{ sql: "INSERT INTO effects (event_id) VALUES (?)", params: [id] }];
}

async function column(place: StorePlace, sql: string, owner = OWNER): Promise<unknown[]> {
  return (await place.rows(owner, sql)).map((row) => Object.values(row)[0]);
}
const effects = async (place: StorePlace, owner = OWNER) =>
  (await column(place, "SELECT event_id FROM effects", owner)).sort();
const inbox = async (place: StorePlace, owner = OWNER) =>
  (await column(place, "SELECT event_id FROM inbox", owner)).sort();

for (const kind of storeKinds()) {
  const promise = (
    title: string,
    fn: (place: StorePlace, open: (owner?: StoreOwner) => Promise<Store>) => Promise<void>,
  ) =>
    kind.test(`${kind.name}: ${title}`, async () => {
      await using place = await kind.place();
      await fn(place, (owner = OWNER) => place.open(owner, MIGRATIONS));
    });

  promise("commit() commits an effect and its inbox row", async (place, open) => {
    await using store = await open();
    assert.equal(await store.has("e-1"), false);
    assert.equal(await store.commit("e-1", effect("e-1")), "committed");
    assert.equal(await store.has("e-1"), true);
    assert.equal(await store.has("e-2"), false);
    assert.deepEqual(await effects(place), ["e-1"]);
    assert.deepEqual(await inbox(place), ["e-1"]);
  });

  promise("commit() does nothing for an id that is committed", async (place, open) => {
    await using store = await open();
    await store.commit("e-1", effect("e-1"));
    assert.equal(await store.commit("e-1", effect("otra vez")), "duplicate");
    assert.deepEqual(await effects(place), ["e-1"]);
  });

  promise("commit() does one id once also within one group", async (place, open) => {
    await using store = await open();
    const ids = ["e-1", "e-1", "e-2"];
    const results = await Promise.all(ids.map((id) => store.commit(id, effect(id))));
    assert.deepEqual(results, ["committed", "duplicate", "committed"]);
    assert.deepEqual(await effects(place), ["e-1", "e-2"]);
  });

  promise(
    "commit() takes back the effect that fails, and no other of its group",
    async (place, open) => {
      await using store = await open();
      const broken: Effect = [
        ...effect("a medias"),
        ...effect("x").map((it) => ({ ...it, params: [null] })),
      ];
      const commits = [
        store.commit("e-1", effect("e-1")),
        store.commit("e-2", broken),
        store.commit("e-3", [{ sql: "INSERT INTO no_existe VALUES (1)", params: [] }]),
        store.commit("e-4", effect("e-4")),
        store.commit("e-4", effect("e-4")),
      ];
      const results = await Promise.allSettled(commits);
      assert.deepEqual(
        results.map((result) => result.status === "fulfilled" ? result.value : result.status),
        ["committed", "rejected", "rejected", "committed", "duplicate"],
      );
      for (const index of [1, 2]) {
        await assert.rejects(commits[index]!, (error) => !(error instanceof StoreUnavailableError));
      }
      assert.deepEqual(await effects(place), ["e-1", "e-4"]);
      assert.deepEqual(await inbox(place), ["e-1", "e-4"]);
      assert.equal(await store.commit("e-2", effect("e-2")), "committed", "it may be tried again");
    },
  );

  promise("commit() lets the second of one id do it where the first fails", async (place, open) => {
    await using store = await open();
    const broken: Effect = [{ sql: "INSERT INTO effects VALUES (?, ?)", params: [null, null] }];
    const [first, second] = await Promise.allSettled([
      store.commit("e-1", broken),
      store.commit("e-1", effect("e-1")),
    ]);
    assert.equal(first.status, "rejected");
    assert.deepEqual(second, { status: "fulfilled", value: "committed" });
    assert.deepEqual(await effects(place), ["e-1"]);
  });

  promise("commit() commits more than a group holds", async (place, open) => {
    await using store = await open();
    const ids = Array.from({ length: 1_201 }, (_, n) => `e-${n}`);
    const results = await Promise.all(ids.map((id) => store.commit(id, effect(id))));
    assert.deepEqual(new Set(results), new Set(["committed"]));
    assert.deepEqual(new Set(await effects(place)), new Set(ids));
    assert.deepEqual(
      await Promise.all([...ids, "otro"].map((id) => store.has(id))),
      [...ids.map(() => true), false],
    );
  });

  promise(
    "commit() binds every kind of value, and pastes none into the statement",
    async (place) => {
      const table = {
        sqlite: "CREATE TABLE mixed (a TEXT, b REAL, c INTEGER, d TEXT, e BLOB)",
        postgres: "CREATE TABLE mixed (a TEXT, b DOUBLE PRECISION, c BIGINT, d TEXT, e BYTEA)",
      };
      await using store = await place.open(OWNER, [table]);
      const text = "Robert'); DROP TABLE mixed;-- ñ🌱 \"{}\\ ?";
      const params = [text, 1.5, 2n ** 40n, null, new Uint8Array([0, 255])];
      await store.commit("e-1", [{
        sql: "INSERT INTO mixed VALUES (?, ?, ?, ?, ?) -- ? no es un parámetro",
        params,
      }]);
      const [row] = await place.rows(OWNER, "SELECT * FROM mixed");
      assert.deepEqual({ ...row, e: [...row!.e as Uint8Array] }, {
        a: text,
        b: 1.5,
        c: 2 ** 40,
        d: null,
        e: [0, 255],
      });
    },
  );

  promise("commit() takes the statement that is written for its database", async (place, open) => {
    await using store = await open();
    const sql = {
      sqlite: "INSERT INTO effects VALUES (?, CAST(unixepoch() AS TEXT))",
      postgres: "INSERT INTO effects VALUES (?, CAST(extract(epoch FROM now()) AS TEXT))",
    };
    await store.commit("e-1", [{ sql, params: ["e-1"] }]);
    assert.deepEqual(await effects(place), ["e-1"]);
  });

  promise("commit() and has() take whatever text an id may be", async (place, open) => {
    await using store = await open();
    const ids = [
      "",
      " ",
      "\0",
      "a\0b",
      '"',
      "\\",
      "{}",
      "NULL",
      ",",
      "ñ🌱",
      "'; --",
      "x".repeat(500),
    ];
    const results = await Promise.all(ids.map((id) => store.commit(id, effect(id))));
    assert.deepEqual(new Set(results), new Set(["committed"]));
    assert.deepEqual(new Set(await Promise.all(ids.map((id) => store.has(id)))), new Set([true]));
    assert.equal((await effects(place)).length, ids.length);
    for (const id of ids) assert.equal(await store.commit(id, effect(id)), "duplicate", id);
  });

  promise("one subscriber's inbox says nothing to another one", async (place, open) => {
    const other = { subscriber: "other", queue: "other_queue" };
    await using store = await open();
    await using others = await open(other);
    await store.commit("e-1", effect("e-1"));
    assert.equal(await others.has("e-1"), false);
    assert.equal(await others.commit("e-1", effect("e-1")), "committed");
    assert.deepEqual(await effects(place, other), ["e-1"]);
  });

  promise("two instances of one subscriber do each event once", async (place, open) => {
    await using one = await open();
    await using two = await open();
    const ids = Array.from({ length: 300 }, (_, n) => `e-${n}`);
    // n.b. a file is busy while the other one writes it: that is waited out, as a subscriber does.
    const commit = (store: Store, id: string) =>
      tryAgain(() => store.commit(id, effect(id)), {
        isWorthIt: (error) => error instanceof StoreUnavailableError,
      });
    const results = await Promise.all(
      [...ids.map((id) => commit(one, id)), ...ids.toReversed().map((id) => commit(two, id))],
    );
    assert.equal(results.filter((result) => result === "committed").length, ids.length);
    assert.deepEqual(await effects(place), ids.toSorted());
  });

  promise("open() refuses a copied consumer that has only another queue", async (_place, open) => {
    await (await open()).close();
    const copied = open({ ...OWNER, queue: "other_queue" });
    await assert.rejects(copied, (error) => {
      assert.ok(error instanceof StoreOwnerError, String(error));
      assert.match(error.message, /belongs to the subscriber "test" of "test_queue"/);
      return true;
    });
    await (await open()).close();
  });

  promise(
    "open() finds again what was committed, and applies no migration twice",
    async (place, open) => {
      const first = await open();
      await first.commit("e-1", effect("e-1"));
      await first.close();
      // n.b. CREATE TABLE fails when it is run again.
      const more = [...MIGRATIONS, "ALTER TABLE effects ADD COLUMN more TEXT DEFAULT 'ñ'"];
      await using store = await place.open(OWNER, more);
      assert.equal(await store.commit("e-1", effect("e-1")), "duplicate");
      assert.deepEqual(await column(place, "SELECT more FROM effects"), ["ñ"]);
      // An older program may use a newer store.
      await using older = await open();
      assert.equal(await older.has("e-1"), true);
    },
  );

  promise("open() applies all migrations or none", async (place) => {
    const broken = place.open(OWNER, [...MIGRATIONS, "CREATE TABEL nueva (id)"]);
    await assert.rejects(broken, /syntax/);
    await using store = await place.open(OWNER, MIGRATIONS);
    assert.equal(await store.commit("e-1", effect("e-1")), "committed");
  });

  promise("open() migrates once, however many open it at once", async (place) => {
    const migrations = [...MIGRATIONS, "INSERT INTO effects VALUES ('migrated', NULL)"];
    const ten = Array.from({ length: 10 }, () => place.open(OWNER, migrations));
    await Promise.all((await Promise.all(ten)).map((store) => store.close()));
    assert.deepEqual(await effects(place), ["migrated"]);
  });

  promise(
    "each method says that the store is unavailable, and works again afterwards",
    async (place, open) => {
      await using store = await open();
      await store.commit("e-1", effect("e-1"));
      {
        await using _outage = await place.outage(OWNER);
        const commits = ["e-2", "e-3"].map((id) => store.commit(id, effect(id)));
        for (const commit of commits) await assert.rejects(commit, StoreUnavailableError);
        await assert.rejects(store.checkWritable(), StoreUnavailableError);
        await assert.rejects(store.notePause(undefined), StoreUnavailableError);
      }
      assert.equal(await store.has("e-2"), false);
      await store.checkWritable();
      assert.equal(await store.commit("e-2", effect("e-2")), "committed");
      assert.deepEqual(await effects(place), ["e-1", "e-2"]);
    },
  );

  promise("notePause() keeps one note, the last", async (place, open) => {
    await using store = await open();
    const noted = () => place.rows(OWNER, "SELECT waits_for, reason, since FROM pauses");
    assert.deepEqual(await noted(), []);
    const since = new Date("2026-11-24T18:00:00Z");
    const pause = { waitsFor: "the mail server", reason: "caído", since, probedAt: since };
    await store.notePause(pause);
    await store.notePause({ ...pause, reason: "otra vez" });
    assert.deepEqual((await noted()).map((row) => ({ ...row })), [
      { waits_for: "the mail server", reason: "otra vez", since: since.toISOString() },
    ]);
    await store.notePause(undefined);
    assert.deepEqual(await noted(), []);
  });

  promise("forget() removes what is older, part by part, and nothing else", async (place, open) => {
    await using store = await open();
    const ids = Array.from({ length: 25 }, (_, n) => `e-${n}`).toSorted();
    await Promise.all(ids.map((id) => store.commit(id, effect(id))));
    const old = ids.filter((_, index) => index % 2 === 0);
    const made = new Date(Date.now() - 10 * 86_400_000).toISOString();
    for (const id of old) {
      const sql = "UPDATE inbox SET processed_at = ? WHERE event_id = ?";
      await store.commit(`older ${id}`, [{ sql, params: [made, id] }]);
    }
    const before = new Date(Date.now() - 5 * 86_400_000);
    const parts: number[] = [];
    let position: string | undefined = "";
    while (position !== undefined) {
      const { removed, next } = await store.forget(before, position, 10);
      parts.push(removed);
      position = next;
    }
    assert.deepEqual(parts, [5, 5, 3, 0]);
    const kept = ids.filter((id) => !old.includes(id));
    assert.deepEqual(await inbox(place), [...kept, ...old.map((id) => `older ${id}`)].toSorted());
    assert.equal(await store.has(old[0]!), false);
    assert.equal(await store.commit(kept[0]!, effect("otra vez")), "duplicate");
    assert.deepEqual(await effects(place), ids, "no effect is gone");
  });

  promise("close() commits what waits", async (place, open) => {
    const store = await open();
    const committed = store.commit("e-1", effect("e-1"));
    await store.close();
    assert.equal(await committed, "committed");
    assert.deepEqual(await effects(place), ["e-1"]);
  });
}
