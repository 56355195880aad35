/** The relay against a real broker: the order, the bytes, and what is wrong with one row or the store. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EVENTS } from "@ecomarket/shared/contract/catalogue";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import type { ApiStore } from "../../publisher/api/api_store.ts";
import { openSqliteApiStore } from "../../publisher/api/sqlite_api_store.ts";
import { BacklogWatch } from "../../publisher/outbox/backlog.ts";
import type { OutboxRow } from "../../publisher/outbox/outbox.ts";
import { OutboxRelay } from "../../publisher/outbox/relay.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { waiting } from "../support/waiting.ts";
import { outboxIds } from "../support/users_api.ts";

const broker = brokerOfFile();

interface RunningRelay extends AsyncDisposable {
  readonly store: ApiStore;
  readonly relay: OutboxRelay;
  stop(): Promise<void>;
}

/** A store and its relay, which runs until it is stopped. */
function runRelay(
  bench: Bench,
  options: Partial<ConstructorParameters<typeof OutboxRelay>[0]> = {},
): RunningRelay {
  const store = openSqliteApiStore(join(bench.directory, "users"));
  const relay = new OutboxRelay({
    urls: [bench.amqpUrl],
    outbox: store.outbox,
    watch: new BacklogWatch({ maxEvents: 1_000, maxAgeMs: 60_000 }, bench.log),
    log: bench.log,
    ...options,
  });
  const controller = new AbortController();
  const running = relay.run(controller.signal);
  const stop = async () => {
    controller.abort();
    await running;
  };
  return {
    store,
    relay,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Registers `count` users one after the other, and returns their events' ids. */
async function register({ users }: ApiStore, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const email = `ana-${crypto.randomUUID()}@example.com`;
    const result = await users.register({ nombre: "Ana Ñáñez", email });
    assert.ok(result.kind === "done" && result.outcome.kind === "created");
    ids.push(result.outcome.user.event_id);
  }
  return ids;
}

/** The same, before there is a relay. */
async function registerBefore(bench: Bench, count: number): Promise<string[]> {
  await using store = openSqliteApiStore(join(bench.directory, "users"));
  return await register(store, count);
}

async function committedRows(bench: Bench): Promise<readonly OutboxRow[]> {
  await using store = openSqliteApiStore(join(bench.directory, "users"));
  return await waiting(store.outbox);
}

function untilEmpty(bench: Bench): Promise<void> {
  return eventually(() => assert.deepEqual(outboxIds(bench), []));
}

Deno.test("OutboxRelay publishes in the order of the commits, over many batches", async () => {
  await using bench = await Bench.open(broker);
  const before = await registerBefore(bench, 40);
  await using running = runRelay(bench, { batchSize: 7 });
  const after = await register(running.store, 20);
  await untilEmpty(bench);
  assert.deepEqual(await bench.drainIds("email_queue"), [...before, ...after]);
  assert.deepEqual(running.relay.status, { state: "connected" });
  await running.stop();
  assert.deepEqual(running.relay.status, { state: "stopped" });
});

Deno.test("OutboxRelay publishes the very bytes that were committed", async () => {
  await using bench = await Bench.open(broker);
  await registerBefore(bench, 1);
  const [row] = await committedRows(bench);
  await using _running = runRelay(bench);
  await untilEmpty(bench);
  const { content, properties } = await bench.only("loyalty_queue");
  assert.equal(content.toString("utf8"), row!.event);
  assert.equal(properties.messageId, row!.eventId);
});

Deno.test("OutboxRelay keeps an event that it cannot publish, and holds up no other for it", async () => {
  await using bench = await Bench.open(broker);
  await using running = runRelay(bench);
  using db = new DatabaseSync(join(bench.directory, "users", DATABASE_FILE));
  const newer = JSON.stringify({ event_type: "UsuarioCreado", schema_version: 2 });
  const insert = db.prepare(
    "INSERT INTO outbox (event_id, event, appended_at_ms) VALUES (?, ?, 0)",
  );
  insert.run("de-mañana", newer);
  insert.run("rota", "{");
  const ids = await register(running.store, 5);
  await eventually(() => assert.deepEqual(outboxIds(bench), ["de-mañana", "rota"]));
  ids.push(...await register(running.store, 5));
  await eventually(() => assert.deepEqual(outboxIds(bench), ["de-mañana", "rota"]));
  assert.deepEqual(await bench.drainIds("email_queue"), ids);
  assert.match(running.relay.status.problem ?? "", /2 events stay.*Was it written by a newer/);
});

Deno.test("OutboxRelay holds up no user for purchases that nobody would read, however many there are", async () => {
  await using bench = await Bench.open(broker);
  for (const queue of ["loyalty_queue", "analytics_queue"]) {
    await bench.channel.unbindQueue(queue, EVENTS.CompraRealizada.exchange, "");
  }
  const [first] = await registerBefore(bench, 1);
  const bought: string[] = [];
  {
    await using store = openSqliteApiStore(join(bench.directory, "users"));
    const { user_id } = JSON.parse((await waiting(store.outbox))[0]!.event);
    const items = [{ sku: "taza", quantity: 1 }];
    for (let n = 0; n < 5; n++) {
      const purchase = { user_id, total: n, currency: "MXN", items };
      const result = await store.purchases.add(purchase);
      assert.ok(result.kind === "done" && result.outcome.kind === "created");
      bought.push(result.outcome.purchase.event_id);
    }
  }
  await using running = runRelay(bench, { batchSize: 2 });
  const later = await register(running.store, 4);
  await eventually(() => assert.deepEqual(outboxIds(bench), bought));
  assert.deepEqual(await bench.drainIds("email_queue"), [first, ...later]);
  await eventually(() => assert.match(running.relay.status.problem ?? "", /setup-queues/));

  await bench.channel.bindQueue("loyalty_queue", EVENTS.CompraRealizada.exchange, "");
  await untilEmpty(bench);
  const ids = await bench.drainIds("loyalty_queue");
  assert.deepEqual(ids.filter((id) => bought.includes(id)), bought, "in the order of the commits");
});

Deno.test("OutboxRelay waits while its store is locked, and publishes nothing again for it", async () => {
  await using bench = await Bench.open(broker);
  await using running = runRelay(bench);
  const ids = await register(running.store, 3);
  await untilEmpty(bench);
  using intruder = new DatabaseSync(join(bench.directory, "users", DATABASE_FILE));
  intruder.exec("BEGIN IMMEDIATE");
  // n.b. what the intruder commits is there at once, and cannot be noted until it lets go again.
  const later = { ...JSON.parse(LATE_EVENT), event_id: crypto.randomUUID() };
  intruder.prepare("INSERT INTO outbox (event_id, event, appended_at_ms) VALUES (?, ?, 0)")
    .run(later.event_id, JSON.stringify(later));
  intruder.exec("COMMIT; BEGIN IMMEDIATE");
  running.store.outbox.appended();
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 4));
  await eventually(() => assert.match(running.relay.status.problem ?? "", /database is locked/));
  assert.deepEqual(outboxIds(bench), [later.event_id]);
  intruder.exec("ROLLBACK");
  await untilEmpty(bench);
  assert.deepEqual(await bench.drainIds("email_queue"), [...ids, later.event_id]);
});

Deno.test("OutboxRelay publishes everything, with the same ids, over a link that is cut again and again", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using running = runRelay(bench, { urls: [proxy.urlFor(bench.amqpUrl)], batchSize: 20 });
  const ids: string[] = [];
  for (let cut = 0; cut < 5; cut++) {
    await eventually(() => assert.equal(running.relay.status.state, "connected"));
    proxy.cutInNextChunk();
    ids.push(...await register(running.store, 30));
    await eventually(() => assert.ok(proxy.cuts > cut));
  }
  await untilEmpty(bench);
  assert.deepEqual([...new Set(await bench.drainIds("email_queue"))].sort(), ids.sort());
});

Deno.test("OutboxRelay publishes what another connection has put into the outbox, though nobody told it", async () => {
  await using bench = await Bench.open(broker);
  await using running = runRelay(bench, { lookIntervalMs: 50 });
  await register(running.store, 1);
  await untilEmpty(bench);
  await bench.drain("email_queue");
  using stranger = new DatabaseSync(join(bench.directory, "users", DATABASE_FILE));
  for (const id of [crypto.randomUUID(), crypto.randomUUID()]) {
    const event = JSON.stringify({ ...JSON.parse(LATE_EVENT), event_id: id });
    stranger.prepare("INSERT INTO outbox (event_id, event, appended_at_ms) VALUES (?, ?, ?)")
      .run(id, event, Date.now());
    await untilEmpty(bench);
    assert.equal((await bench.only("email_queue")).properties.messageId, id);
  }
});

Deno.test("OutboxRelay stops in time while the broker answers nothing, and keeps what waits", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using running = runRelay(bench, {
    urls: [proxy.urlFor(bench.amqpUrl)],
    drainTimeoutMs: 200,
  });
  await eventually(() => assert.equal(running.relay.status.state, "connected"));
  proxy.stall();
  const ids = await register(running.store, 10);
  await eventually(() => assert.ok(proxy.bytesHeld > 0));
  await running.stop();
  assert.deepEqual(outboxIds(bench), ids);
});

const LATE_EVENT = JSON.stringify({
  event_type: "UsuarioCreado",
  schema_version: 1,
  timestamp: "2026-03-01T12:00:00.000Z",
  user_id: "u-tarde",
  nombre: "Tarde",
  email: "tarde@example.com",
});
