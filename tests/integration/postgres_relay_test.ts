/** Relays on one PostgreSQL against a real broker: the order, what one of them cannot publish, and faults. */
import assert from "node:assert/strict";
import { EVENTS } from "@ecomarket/shared/contract/catalogue";
import { queryRows, runSql } from "@ecomarket/testbed/postgres/test_postgres";
import type { ApiStore } from "../../publisher/api/api_store.ts";
import { BacklogWatch } from "../../publisher/outbox/backlog.ts";
import { OutboxRelay, type OutboxRelayOptions } from "../../publisher/outbox/relay.ts";
import { ana, createdPurchase, createdUser } from "../conformance/api_store.ts";
import { postgresPlace } from "../conformance/postgres_place.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { postgresOfFile, postgresTest } from "../support/postgres_of_file.ts";

const broker = brokerOfFile();
const postgres = postgresOfFile();

const PATIENCE_MS = 30_000;

interface Relays extends AsyncDisposable {
  readonly url: string;
  /** Each has a relay. */
  readonly stores: readonly ApiStore[];
  readonly relays: readonly OutboxRelay[];
}

/** As many stores on one database, each with a relay that runs until this is disposed. */
async function runRelays(
  bench: Bench,
  count: number,
  options: Partial<OutboxRelayOptions> = {},
): Promise<Relays> {
  const place = postgresPlace(await postgres.database());
  const stores = await Promise.all(Array.from({ length: count }, () => place.open()));
  const relays = stores.map(({ outbox }) =>
    new OutboxRelay({
      urls: [bench.amqpUrl],
      outbox,
      watch: new BacklogWatch({ maxEvents: 1_000, maxAgeMs: 60_000 }, bench.log),
      log: bench.log,
      batchSize: 5,
      lookIntervalMs: 100,
      ...options,
    })
  );
  const stop = new AbortController();
  const running = relays.map((relay) => relay.run(stop.signal));
  return {
    url: place.url,
    stores,
    relays,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running);
      await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    },
  };
}

async function outboxIds(url: string): Promise<string[]> {
  const rows = await queryRows(url, "SELECT event_id FROM users_api.outbox ORDER BY position");
  return rows.map(({ event_id }) => event_id);
}

function untilEmpty(url: string): Promise<void> {
  return eventually(async () => assert.deepEqual(await outboxIds(url), []), PATIENCE_MS);
}

/** Purchases of `users` users, `each` of each, recorded in turn at any of `stores`. */
async function buy(
  stores: readonly ApiStore[],
  { users, each }: { readonly users: number; readonly each: number },
): Promise<readonly (readonly string[])[]> {
  return await Promise.all(Array.from({ length: users }, async (_, n) => {
    const { user_id } = createdUser(await stores[0]!.users.register(ana(crypto.randomUUID())));
    const ids: string[] = [];
    for (let m = 0; m < each; m++) {
      const { purchases } = stores[(n + m) % stores.length]!;
      const items = [{ sku: "taza", quantity: 1 }];
      const purchase = { user_id, total: m, currency: "MXN", items };
      ids.push(createdPurchase(await purchases.add(purchase)).event_id);
    }
    return ids;
  }));
}

/** Asserts that each list of `orders` is in the order of the first time that each id was published. */
function assertOrder(published: readonly string[], orders: readonly (readonly string[])[]): void {
  const place = new Map<string, number>();
  for (const [at, id] of published.entries()) if (!place.has(id)) place.set(id, at);
  for (const ids of orders) {
    const places = ids.map((id) => place.get(id) ?? NaN);
    assert.ok(places.every((at) => Number.isInteger(at)), "each was published");
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
  }
}

const PURCHASES = "order_probe";
async function probe(bench: Bench): Promise<void> {
  await bench.channel.assertQueue(PURCHASES, { arguments: { "x-queue-type": "quorum" } });
  await bench.channel.bindQueue(PURCHASES, EVENTS.CompraRealizada.exchange, "");
}

postgresTest(
  "three relays on one PostgreSQL publish each event, and each user's in order",
  async () => {
    await using bench = await Bench.open(broker);
    await probe(bench);
    await using running = await runRelays(bench, 3);
    const orders = await buy(running.stores, { users: 12, each: 6 });
    await untilEmpty(running.url);
    const published = await bench.drainIds(PURCHASES);
    assertOrder(published, orders);
    assert.equal(published.length, orders.flat().length, "and, while nothing fails, once");
  },
);

postgresTest(
  "three relays keep each user's order while their connections to PostgreSQL are ended again and again",
  async () => {
    await using bench = await Bench.open(broker);
    await probe(bench);
    await using running = await runRelays(bench, 3);
    const bought: (readonly string[])[] = [];
    let ended = 0;
    for (let round = 0; round < 6; round++) {
      // n.b. the relays' alone: what a lost commit of a registration owes is tried elsewhere.
      const end = () =>
        eventually(async () => {
          const rows = await queryRows(
            running.url,
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'ecomarket users-api relay'`,
          );
          ended += rows.length;
          assert.ok(rows.length > 0);
        }, PATIENCE_MS);
      const [orders] = await Promise.all([buy(running.stores, { users: 6, each: 4 }), end()]);
      bought.push(...orders);
    }
    assert.ok(ended >= 6, "connections were ended");
    await untilEmpty(running.url);
    assertOrder(await bench.drainIds(PURCHASES), bought);
    await eventually(() =>
      assert.ok(running.relays.every(({ status }) => status.state === "connected"))
    );
  },
);

postgresTest(
  "a relay on PostgreSQL keeps an event that it cannot publish, and holds up no other user for it",
  async () => {
    await using bench = await Bench.open(broker);
    await using running = await runRelays(bench, 2);
    const newer = JSON.stringify({ event_type: "UsuarioCreado", schema_version: 2 });
    await runSql(
      running.url,
      `INSERT INTO users_api.outbox (event_id, event_type, ordering_key, event, appended_at_ms)
     VALUES ('de-mañana', 'UsuarioCreado', 'u-1', '${newer}', 0), ('rota', 'UsuarioCreado', 'u-2', '{', 0)`,
    );
    const register = async (n: number) =>
      createdUser(await running.stores[n % 2]!.users.register(ana(n))).event_id;
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) ids.push(await register(n));
    await eventually(async () => {
      assert.deepEqual(await outboxIds(running.url), ["de-mañana", "rota"]);
    }, PATIENCE_MS);
    assert.deepEqual((await bench.drainIds("email_queue")).sort(), ids.sort());
    await eventually(() => {
      const problems = running.relays.map(({ status }) => status.problem ?? "");
      assert.ok(problems.some((problem) => /Was it written by a newer program/.test(problem)));
    });
  },
);

postgresTest(
  "a relay publishes what an API has left that is gone, though nobody told it",
  async () => {
    await using bench = await Bench.open(broker);
    await using running = await runRelays(bench, 1);
    const other = await postgresPlace(running.url).open();
    const { event_id } = createdUser(await other.users.register(ana()));
    await other[Symbol.asyncDispose]();
    await untilEmpty(running.url);
    assert.equal((await bench.only("email_queue")).properties.messageId, event_id);
  },
);
