/** The store of the users API in PostgreSQL: what every store owes, and what it owes to many at once. */
import assert from "node:assert/strict";
import { StoreUnavailableError, UnknownCommitError } from "@ecomarket/shared/base/errors";
import { userIdOf } from "@ecomarket/shared/contract/user_bucket";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { PostgresConnection } from "@ecomarket/shared/store/postgres_connection";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { queryRows, runSql } from "@ecomarket/testbed/postgres/test_postgres";
import { fingerprint } from "../../publisher/api/idempotency.ts";
import type { User } from "../../publisher/api/users.ts";
import { POSTGRES_API_MIGRATIONS } from "../../publisher/api/postgres_tables.ts";
import {
  ana,
  createdPurchase,
  createdUser,
  NOW,
  purchaseOfAna,
  testApiStore,
} from "../conformance/api_store.ts";
import { testOutbox } from "../conformance/outbox.ts";
import { type PostgresPlace, postgresPlace } from "../conformance/postgres_place.ts";
import { eventually } from "../support/eventually.ts";
import { postgresOfFile, postgresTest } from "../support/postgres_of_file.ts";
import { waiting, waitingIds } from "../support/waiting.ts";

const postgres = postgresOfFile();

async function newPlace(): Promise<PostgresPlace> {
  return postgresPlace(await postgres.database());
}

testApiStore("PostgreSQL", newPlace, postgresTest);
testOutbox("PostgreSQL", newPlace, postgresTest);

const key = (key: string) => ({ key, fingerprint: fingerprint("a") });

postgresTest("ten stores that are opened at once migrate once", async () => {
  const place = await newPlace();
  const stores = await Promise.all(Array.from({ length: 10 }, () => place.open()));
  try {
    await Promise.all(stores.map(({ users }, n) => users.register(ana(n))));
    const steps = await place.rows("SELECT number FROM store_migrations ORDER BY number");
    assert.deepEqual(
      steps.map(({ number }) => number),
      POSTGRES_API_MIGRATIONS.map((_, index) => index + 1),
    );
    assert.equal((await place.rows("SELECT user_id FROM users")).length, 10);
  } finally {
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  }
});

postgresTest("one key is one user, whichever of the stores it comes to at once", async () => {
  const place = await newPlace();
  await using one = await place.open();
  await using other = await place.open();
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, n) => [one, other][n % 2]!.users.register(ana(), key("k-1"))),
  );
  assert.equal(new Set(results.map((result) => createdUser(result).user_id)).size, 1);
  assert.equal((await place.rows("SELECT user_id FROM users")).length, 1);
});

postgresTest("two claims at once have no event in common, and together all of them", async () => {
  const place = await newPlace();
  await using one = await place.open();
  await using other = await place.open();
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.push(createdUser(await one.users.register(ana(n))).event_id);
  await using first = await one.outbox.claim({ limit: 4 });
  await using second = await other.outbox.claim({ limit: 10 });
  const idsOf = ({ rows }: typeof first) => rows.map(({ eventId }) => eventId);
  assert.deepEqual(idsOf(first), ids.slice(0, 4));
  assert.deepEqual(idsOf(second), ids.slice(4));
});

postgresTest(
  "no later event of a user is claimed before the earlier one is confirmed, by whomever",
  async () => {
    const place = await newPlace();
    await using one = await place.open();
    await using other = await place.open();
    const ofAna = await purchaseOfAna(one, 1);
    const ofEva = await purchaseOfAna(one, 2);
    const add = async (purchase: typeof ofAna) =>
      createdPurchase(await one.purchases.add(purchase)).event_id;
    const [ana1, ana2] = [await add(ofAna), await add(ofAna)];
    const [eva1, eva2] = [await add(ofEva), await add(ofEva)];
    {
      await using claim = await one.outbox.claim({ limit: 1 });
      assert.deepEqual(claim.rows.map(({ eventId }) => eventId), [ana1]);
      assert.deepEqual(await waitingIds(other.outbox), [eva1], "what is behind Ana's first is not");
      await claim.settle({ confirmed: [], deferred: claim.rows, deferMs: 60_000 }, NOW);
    }
    assert.deepEqual(await waitingIds(other.outbox), [eva1], "nor while it is deferred");
    await using claim = await other.outbox.claim({ limit: 10 });
    await claim.settle({ confirmed: claim.rows }, NOW);
    assert.deepEqual(await waitingIds(one.outbox), [eva2]);
    const waits = await place.rows("SELECT event_id FROM outbox ORDER BY position");
    assert.deepEqual(waits.map(({ event_id }) => event_id), [ana1, ana2, eva2]);
  },
);

postgresTest(
  "an event is not skipped that is committed after those behind it have left",
  async () => {
    const place = await newPlace();
    await using store = await place.open();
    await using slow = await place.open();
    const begun = Promise.withResolvers<void>();
    const append = slow.outbox.append.bind(slow.outbox);
    // n.b. its position is given now, and its transaction stays open until the lock is free.
    await using locked = await lockRow(place);
    slow.outbox.append = function* (event, now) {
      yield* append(event, now);
      begun.resolve();
      yield { sql: "SELECT 1 FROM test_lock FOR UPDATE", params: [] };
    };
    const late = slow.users.register(ana("late"));
    await begun.promise;
    await eventually(async () => assert.equal(await locked.waiters(), 1));
    const early = createdUser(await store.users.register(ana("early"))).event_id;
    {
      await using claim = await store.outbox.claim({ limit: 10 });
      assert.deepEqual(claim.rows.map(({ eventId }) => eventId), [early]);
      await claim.settle({ confirmed: claim.rows }, NOW);
    }
    await locked.free();
    const { event_id } = createdUser(await late);
    assert.deepEqual(await waitingIds(store.outbox, { behind: 1_000 }), [event_id]);
  },
);

postgresTest(
  "two purchases of one user at once are in the outbox in the order of their commits",
  async () => {
    const place = await newPlace();
    await using store = await place.open();
    await using slow = await place.open();
    const purchase = await purchaseOfAna(store);
    await using locked = await lockRow(place);
    const append = slow.outbox.append.bind(slow.outbox);
    slow.outbox.append = function* (event, now) {
      yield { sql: "SELECT 1 FROM test_lock FOR UPDATE", params: [] };
      yield* append(event, now);
    };
    const order: string[] = [];
    const first = slow.purchases.add(purchase).then(() => order.push("first"));
    await eventually(async () => assert.equal(await locked.waiters(), 1));
    const second = store.purchases.add(purchase).then(() => order.push("second"));
    await eventually(async () => assert.equal(await locked.waiters(), 2));
    await locked.free();
    await Promise.all([first, second]);
    assert.deepEqual(order, ["first", "second"], "the second waited for the first");
  },
);

postgresTest(
  "a claim whose connection is gone is free at once, and what the broker has leaves the outbox all the same",
  async () => {
    const place = await newPlace();
    await using one = await place.open();
    await using other = await place.open();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push(createdUser(await one.users.register(ana(n))).event_id);
    await using claim = await one.outbox.claim({ limit: 2 });
    assert.deepEqual(await waitingIds(other.outbox), ids.slice(2));
    assert.equal(await terminate(place, "ecomarket users-api relay"), 2);
    await eventually(async () => assert.deepEqual(await waitingIds(other.outbox), ids));
    await assert.rejects(claim.settle({ confirmed: claim.rows }, NOW), StoreUnavailableError);
    await claim.settle({ confirmed: claim.rows }, NOW);
    assert.deepEqual(await waitingIds(one.outbox), ids.slice(2));
  },
);

postgresTest("a claim whose holder is silent is given to others after its time", async () => {
  const place = await newPlace();
  await using silent = await place.open({ claimTimeoutMs: 300 });
  await using other = await place.open();
  const { event_id } = createdUser(await silent.users.register(ana()));
  await using claim = await silent.outbox.claim({ limit: 1 });
  assert.equal(claim.rows.length, 1);
  assert.deepEqual(await waitingIds(other.outbox), []);
  // n.b. sooner than a transaction of another kind would be given up (10 s).
  const isGiven = async () => assert.deepEqual(await waitingIds(other.outbox), [event_id]);
  await eventually(isGiven, 5_000);
});

postgresTest(
  "keys.prune() of two stores at once removes each key once, and waits for nobody",
  async () => {
    const place = await newPlace();
    await using one = await place.open({ keyLifetimeMs: 1_000 });
    await using other = await place.open({ keyLifetimeMs: 1_000 });
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => one.users.register(ana(n), key(`k-${n}`), NOW)),
    );
    const later = new Date(NOW.getTime() + 1_000);
    const counts = await Promise.all([one, other, one, other].map(({ keys }) => keys.prune(later)));
    assert.equal(counts.reduce((sum, count) => sum + count), 30);
  },
);

postgresTest(
  "register() whose connection is lost between COMMIT and its answer says so, and is done once when it is repeated",
  async () => {
    const place = await newPlace();
    (await place.open())[Symbol.asyncDispose]();
    await using proxy = TcpProxy.before(place.url);
    await using store = await postgresPlace(proxy.urlFor(place.url)).open();
    // n.b. the commit takes as long as the lock is held: so it is surely under way when the link is cut.
    await using locked = await lockRow(place);
    await runSql(
      place.url,
      `CREATE FUNCTION users_api.wait() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN PERFORM 1 FROM users_api.test_lock FOR UPDATE; RETURN NULL; END $$`,
      `CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON users_api.users DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION users_api.wait()`,
    );
    const lost = store.users.register(ana(), key("k-1"));
    await eventually(async () => {
      const sql =
        "SELECT 1 AS one FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'";
      assert.equal((await queryRows(place.url, sql)).length, 1);
    });
    proxy.cut();
    await assert.rejects(lost, UnknownCommitError);
    assert.ok(proxy.cuts > 0);
    const again = store.users.register(ana(), key("k-1"));
    await locked.free();
    const result = await again;
    assert.equal(result.kind === "done" && result.isReplay, true);
    const { event_id } = createdUser(result);
    assert.deepEqual(await waitingIds(store.outbox), [event_id]);
  },
);

postgresTest(
  "register() is a StoreUnavailableError while the server is away or read-only, and registers after that",
  async () => {
    const place = await newPlace();
    await using store = await place.open();
    createdUser(await store.users.register(ana(1)));

    const database = new URL(place.url).pathname.slice(1);
    const admin = postgres.server.urlOf();
    await runSql(admin, `ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    await terminate(place);
    await assert.rejects(store.users.register(ana(2)), StoreUnavailableError);
    await assert.rejects(store.checkWritable(), StoreUnavailableError);
    await runSql(admin, `ALTER DATABASE ${database} RESET ALL`);
    await terminate(place);
    await eventually(() => store.checkWritable());

    await postgres.server.kill();
    await assert.rejects(store.users.register(ana(2)), StoreUnavailableError);
    await assert.rejects(store.outbox.claim({ limit: 1 }), StoreUnavailableError);
    await assert.rejects(store.outbox.backlog(NOW), StoreUnavailableError);
    await postgres.server.start();
    createdUser(await store.users.register(ana(2)));
    assert.equal((await waiting(store.outbox)).length, 2);
  },
);

postgresTest("two transactions that wait for each other are both done in the end", async () => {
  const place = await newPlace();
  await using store = await place.open();
  const users: User[] = [];
  for (const n of [1, 2]) users.push(createdUser(await store.users.register(ana(n))));
  let meetings = 0;
  const append = store.outbox.append.bind(store.outbox);
  store.outbox.append = function* (event, now) {
    meetings++;
    const [own, others] = userIdOf(event) === users[0]!.user_id ? users : [users[1]!, users[0]!];
    yield { sql: "SELECT pg_sleep(0.2)", params: [] };
    for (const { user_id } of [own!, others!]) {
      yield { sql: "SELECT 1 FROM users WHERE user_id = ? FOR UPDATE", params: [user_id] };
    }
    yield* append(event, now);
  };
  const purchase = { total: 1, currency: "MXN", items: [{ sku: "taza", quantity: 1 }] };
  const results = await Promise.all(
    users.map(({ user_id }) => store.purchases.add({ ...purchase, user_id })),
  );
  results.forEach((result) => createdPurchase(result));
  assert.ok(meetings > 2, "one of them was taken back, and done again");
  assert.equal((await place.rows("SELECT purchase_id FROM purchases")).length, 2);
});

/** A row that somebody holds, for a transaction to wait for. */
interface HeldRow extends AsyncDisposable {
  /** Transactions that wait for a lock in this database now. */
  waiters(): Promise<number>;
  free(): Promise<void>;
}

async function lockRow({ url }: PostgresPlace): Promise<HeldRow> {
  await runSql(
    url,
    "CREATE TABLE users_api.test_lock (id INTEGER)",
    "INSERT INTO users_api.test_lock VALUES (1)",
  );
  const address = parseDatabaseUrl(url);
  const holder = await PostgresConnection.open(address, address.hosts[0]!, {
    applicationName: "test lock",
    answerTimeoutMs: 30_000,
  });
  await holder.run("BEGIN; SELECT 1 FROM users_api.test_lock FOR UPDATE");
  return {
    async waiters() {
      const sql = `SELECT 1 AS one FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (await queryRows(url, sql)).length;
    },
    free: () => holder.run("COMMIT"),
    [Symbol.asyncDispose]: () => holder.close(),
  };
}

/** Ends every connection to the database of `place`, or those of one name. @returns how many. */
async function terminate({ url }: PostgresPlace, applicationName?: string): Promise<number> {
  const name = applicationName === undefined ? "" : `AND application_name = '${applicationName}'`;
  const rows = await queryRows(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() ${name}`,
  );
  return rows.length;
}
