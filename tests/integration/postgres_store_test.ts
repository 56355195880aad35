/** PostgresStore, and what may happen to its server: nothing is lost, and nothing done twice. */
import assert from "node:assert/strict";
import { tryAgain } from "@ecomarket/shared/base/backoff";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { PostgresStore } from "@ecomarket/shared/store/postgres_store";
import type { Effect, Store } from "@ecomarket/shared/store/store";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { queryRows, runSql } from "@ecomarket/testbed/postgres/test_postgres";
import { eventually } from "../support/eventually.ts";
import { postgresOfFile, postgresTest } from "../support/postgres_of_file.ts";
import { terminate } from "../support/store_kinds.ts";

const postgres = postgresOfFile();
const OWNER = { subscriber: "test", queue: "test_queue" };
const MIGRATIONS = ["CREATE TABLE effects (event_id TEXT NOT NULL, note TEXT)"];

function effect(id: string, ...before: Effect): Effect {
  return [...before, { sql: "INSERT INTO effects VALUES (?)", params: [id] }];
}
const sleep = (seconds: number): Effect[number] => ({
  sql: "SELECT pg_sleep(?)",
  params: [seconds],
});

const open = (url: string, answerTimeoutMs = 10_000) =>
  PostgresStore.open(parseDatabaseUrl(url), OWNER, MIGRATIONS, { answerTimeoutMs });

/** Commits as a subscriber does: the store that is away is waited for. */
const commit = (store: Store, id: string) =>
  tryAgain(() => store.commit(id, effect(id)), {
    isWorthIt: (error) => error instanceof StoreUnavailableError,
  });

async function effects(url: string): Promise<unknown[]> {
  const rows = await queryRows(
    url,
    'SELECT event_id FROM test.effects ORDER BY event_id COLLATE "C"',
  );
  return rows.map((row) => row.event_id);
}
async function inbox(url: string): Promise<unknown[]> {
  const rows = await queryRows(url, "SELECT event_id FROM test.inbox ORDER BY event_id");
  return rows.map((row) => row.event_id);
}
const nameOf = (url: string) => new URL(url).pathname.slice(1);
const isRunning = async (url: string, sql: string) => {
  const query = `SELECT 1 FROM pg_stat_activity WHERE datname = '${
    nameOf(url)
  }' AND query ~ '${sql}'
    AND state = 'active' AND pid <> pg_backend_pid()`;
  assert.equal((await queryRows(postgres.server.urlOf(), query)).length, 1);
};

postgresTest(
  "a connection that is terminated in mid-transaction leaves nothing of it",
  async () => {
    const url = await postgres.database();
    await using store = await open(url);
    const lost = store.commit("e-1", effect("e-1", sleep(30)));
    lost.catch(() => {});
    await eventually(() => isRunning(url, "pg_sleep"));
    await runSql(postgres.server.urlOf(), terminate(nameOf(url)));
    await assert.rejects(lost, StoreUnavailableError);
    assert.deepEqual(await inbox(url), []);
    assert.equal(await store.commit("e-1", effect("e-1")), "committed");
    assert.deepEqual(await effects(url), ["e-1"]);
  },
);

postgresTest(
  "after a connection is lost between COMMIT and its answer, the inbox decides",
  async () => {
    const url = await postgres.database();
    await using proxy = TcpProxy.before(url);
    await using store = await open(proxy.urlFor(url));
    // n.b. the commit is sent behind the statements: while one of them sleeps, it is on its way. Only the
    // first time, a statement is asked about before it is sent.
    await store.commit("e-0", effect("e-0", sleep(0)));
    const unknown = store.commit("e-1", effect("e-1", sleep(0.5)));
    unknown.catch(() => {});
    await eventually(() => isRunning(url, "pg_sleep"));
    proxy.holdAnswers();
    await eventually(async () => assert.deepEqual(await inbox(url), ["e-0", "e-1"]));
    proxy.cut();
    await assert.rejects(unknown, StoreUnavailableError);
    proxy.restore();
    assert.equal(await commit(store, "e-1"), "duplicate");
    assert.deepEqual(await effects(url), ["e-0", "e-1"]);
  },
);

postgresTest("a server that answers no more is given up, and the next one is asked", async () => {
  const url = await postgres.database();
  await using store = await open(url, 1_000);
  await store.commit("e-1", effect("e-1"));
  await postgres.server.freeze(true);
  try {
    await assert.rejects(store.commit("e-2", effect("e-2")), StoreUnavailableError);
    await assert.rejects(store.has("e-2"), StoreUnavailableError);
    await assert.rejects(store.checkWritable(), StoreUnavailableError);
  } finally {
    await postgres.server.freeze(false);
  }
  await commit(store, "e-2");
  assert.deepEqual(await effects(url), ["e-1", "e-2"]);
});

postgresTest(
  "two instances do 2,000 events once each while the server is killed and restarted",
  async () => {
    const url = await postgres.database();
    const stores = [await open(url), await open(url)];
    const ids = Array.from({ length: 2_000 }, (_, n) => `e-${n}`);
    const done: string[] = [];
    /** Both take all of them, twenty at a time, as if each was delivered to both. */
    const work = async (store: Store, mine: readonly string[]) => {
      const rest = [...mine];
      const next = async () => {
        for (let id; (id = rest.pop()) !== undefined;) done.push(await commit(store, id));
      };
      await Promise.all(Array.from({ length: 20 }, next));
    };
    const works = Promise.all([work(stores[0]!, ids), work(stores[1]!, ids.toReversed())]);
    let faults = 0;
    for (const fault of ["kill", "restart", "terminate", "kill"] as const) {
      const before = done.length;
      await eventually(() => assert.ok(done.length > before + 50 || done.length === 4_000));
      if (done.length === 4_000) break;
      faults++;
      if (fault === "terminate") {
        await runSql(postgres.server.urlOf(), terminate(nameOf(url)));
        continue;
      }
      if (fault === "kill") await postgres.server.kill();
      else await postgres.server.stop();
      await postgres.server.start();
    }
    await works;
    assert.ok(faults >= 3, `${faults} faults came in time`);
    assert.deepEqual(await effects(url), ids.toSorted());
    assert.equal(await stores[0]!.commit("later", effect("later")), "committed");
    for (const store of stores) await store.close();
  },
);

postgresTest(
  "a standby that is promoted takes over, where it is named in DATABASE_URL",
  async () => {
    const url = await postgres.database();
    const standby = await postgres.standby("second");
    await standby.start();
    // n.b. a database that is made later comes by replication as well.
    const both = url.replace("@127.0.0.1:", `@127.0.0.1:${standby.port},127.0.0.1:`);
    await using store = await open(both);
    await store.commit("e-1", effect("e-1"));
    const copy = url.replace(`:${postgres.server.port}/`, `:${standby.port}/`);
    await eventually(async () => assert.deepEqual(await effects(copy), ["e-1"]));
    await postgres.server.kill();
    await standby.promote();
    await commit(store, "e-2");
    assert.equal(await store.commit("e-1", effect("e-1")), "duplicate");
    assert.deepEqual(await effects(copy), ["e-1", "e-2"]);
    await standby.kill();
    await postgres.server.start();
  },
);

postgresTest(
  "a constraint that is checked at the end takes back its own effect alone",
  async () => {
    const url = await postgres.database();
    const migrations = [
      ...MIGRATIONS,
      "ALTER TABLE effects ADD CONSTRAINT once UNIQUE (note) DEFERRABLE INITIALLY DEFERRED",
    ];
    await using store = await PostgresStore.open(parseDatabaseUrl(url), OWNER, migrations);
    const noted = (id: string, note: string) =>
      store.commit(id, [{ sql: "INSERT INTO effects VALUES (?, ?)", params: [id, note] }]);
    await noted("e-0", "a");
    const results = await Promise.allSettled([noted("e-1", "a"), noted("e-2", "b")]);
    assert.deepEqual(results.map(({ status }) => status), ["rejected", "fulfilled"]);
    assert.deepEqual(await effects(url), ["e-0", "e-2"]);
  },
);

postgresTest("statements of two instances see what the other one has committed", async () => {
  const url = await postgres.database();
  const migrations = [
    "CREATE TABLE bookings (points INTEGER NOT NULL)",
    "CREATE TABLE accounts (points INTEGER NOT NULL)",
    "INSERT INTO accounts VALUES (0)",
  ];
  const openBook = () => PostgresStore.open(parseDatabaseUrl(url), OWNER, migrations);
  await using one = await openBook();
  await using two = await openBook();
  const book: Effect = [
    { sql: "INSERT INTO bookings VALUES (1)", params: [] },
    { sql: "UPDATE accounts SET points = (SELECT sum(points) FROM bookings)", params: [] },
  ];
  for (let n = 0; n < 50; n++) {
    await Promise.all([one.commit(`one-${n}`, book), two.commit(`two-${n}`, book)]);
    // n.b. a later booking would mend what an earlier one has missed.
    const [row] = await queryRows(
      url,
      "SELECT points, (SELECT sum(points)::int FROM test.bookings) AS booked FROM test.accounts",
    );
    assert.deepEqual(row, { points: 2 * (n + 1), booked: 2 * (n + 1) });
  }
});
