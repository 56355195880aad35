/** The users API without its broker: nobody who registers notices, and it ends in time. */
import assert from "node:assert/strict";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { Bench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { RawClient } from "../support/raw_client.ts";
import { assertEffects, startAllConsumers } from "../support/roles.ts";
import { assertReadiness, outboxIds, READY, registerAll, startApi } from "../support/users_api.ts";

// n.b. a broker for each test: deleting a virtual host just after a restart ends 3.10.8's dead-letter
// supervisor, and the next declare with it (541).
const QUEUES = Object.values(SUBSCRIBER_QUEUES);

Deno.test("users-api answers 201 while the broker is stopped, and the effects follow once it is back", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  await using api = await startApi(bench);
  const before = await registerAll(api, 5);
  await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, before)));

  await broker.stop();
  const during = await registerAll(api, 40, 100);
  await eventually(() =>
    assertReadiness(api, { status: "degraded", state: "connecting", events: 40 })
  );
  SUBSCRIBERS.forEach((name) => assertEffects(bench, name, before));
  await broker.start();

  const all = [...before, ...during];
  await eventually(
    () => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, all)),
    40_000,
  );
  const later = await registerAll(api, 5, 200);
  await eventually(() => {
    SUBSCRIBERS.forEach((name) => assertEffects(bench, name, [...all, ...later]));
  });
  await eventually(() => assertReadiness(api, READY));
});

Deno.test("users-api that starts without a broker registers, warns, and publishes once there is one", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  const amqpUrls = [await bench.urlOf("users-api")];
  await broker.kill();
  await using api = await startApi(bench, { amqpUrls, env: { OUTBOX_MAX_EVENTS: "2" } });
  const users = await registerAll(api, 3);
  await eventually(async () => {
    await assertReadiness(api, { status: "degraded", state: "connecting", events: 3 });
    const { body } = await api.get("/readyz");
    assert.equal((body.backlog as { withinBounds: boolean }).withinBounds, false);
    assert.match((body.relay as { problem: string }).problem, /deno task broker start/);
  }, 30_000);
  assert.equal(api.records.filter(({ message }) => /Nothing is lost/.test(message)).length, 1);
  await broker.start();
  await startAllConsumers(bench);
  await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, users)), 40_000);
  await eventually(() => assertReadiness(api, READY));
  assert.ok(api.records.some(({ message }) => /within its bounds again/.test(message)));
});

Deno.test("users-api ends with 0 also while the broker is away, and keeps what waits for its next start", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await using api = await startApi(bench);
  await eventually(() => assertReadiness(api, READY));
  await broker.kill();
  const users = await registerAll(api, 3);
  const ids = users.map(({ event_id }) => event_id).sort();
  assert.equal((await api.process.stop()).code, 0);
  assert.deepEqual(outboxIds(bench).sort(), ids);

  await broker.start();
  await using next = await startApi(bench);
  await eventually(() => assertReadiness(next, READY), 30_000);
  assert.deepEqual(outboxIds(bench), []);
  for (const queue of QUEUES) assert.equal(await eventually(() => bench.depth(queue)), 3, queue);
});

/** A container is killed 10 s after it was asked to end, unless somebody has said otherwise. */
const USUAL_GRACE_MS = 10_000;

Deno.test("users-api ends with 0 before a container would be killed, with slow clients and a broker that answers nothing", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using api = await startApi(bench, { amqpUrls: [proxy.urlFor(bench.amqpUrl)] });
  await registerAll(api, 1);
  await eventually(() => assert.deepEqual(outboxIds(bench), []));
  proxy.stall();
  await using half = await RawClient.connect(api.url);
  await half.send("POST /users HTTP/1.1\r\nHos");
  await using stuck = await RawClient.connect(api.url);
  await stuck.send(
    'POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"nombre":',
  );
  const waiting = await registerAll(api, 3, 1);
  const { code } = await api.process.stop(USUAL_GRACE_MS);
  assert.equal(code, 0);
  assert.equal(outboxIds(bench).length, waiting.length);
});
