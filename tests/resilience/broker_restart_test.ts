/** The workshop's first test: what waits outlives the broker. */
import assert from "node:assert/strict";
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { signups } from "@ecomarket/testbed/events/signups";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { Bench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, publishAll, startAllConsumers } from "../support/roles.ts";

// n.b. a broker for each test: deleting a virtual host just after a restart ends 3.10.8's dead-letter
// supervisor, and the next declare with it (541).
for (const fault of ["restart", "kill"] as const) {
  Deno.test(`events that wait outlive a broker ${fault}, and every subscriber reacts once`, async () => {
    await using broker = await startTestBroker();
    await using bench = await Bench.open(broker);
    const waiting = signups(200);
    await publishAll(bench, waiting);
    for (const queue of Object.values(SUBSCRIBER_QUEUES)) {
      assert.equal(await bench.depth(queue), waiting.length);
    }

    const pidBefore = broker.node.pid;
    if (fault === "kill") await broker.kill();
    else await broker.stop();
    await broker.start();
    assert.notEqual(broker.node.pid, pidBefore);

    await startAllConsumers(bench);
    await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, waiting)));
    const later = signups(1);
    await publishAll(bench, later);
    await eventually(() => {
      SUBSCRIBERS.forEach((name) => assertEffects(bench, name, [...waiting, ...later]));
    });
  });
}

Deno.test("publisher and subscribers that run go on after a broker kill, and lose nothing", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  await using publisher = await RobustPublisher.connect({
    urls: [bench.amqpUrl],
    log: bench.log,
    publishTimeoutMs: 60_000,
  });
  const first = signups(50);
  await Promise.all(first.map((event) => publisher.publish(event)));
  await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, first)));
  const pidBefore = broker.node.pid;

  const during = signups(300);
  const outcomes = during.map((event) => publisher.publish(event));
  await outcomes[0];
  await broker.kill();
  const whileDown = signups(20);
  outcomes.push(...whileDown.map((event) => publisher.publish(event)));
  await broker.start();
  const settled = await Promise.all(outcomes);
  assert.deepEqual(new Set(settled.map(({ status }) => status)), new Set(["confirmed"]));
  assert.notEqual(broker.node.pid, pidBefore);

  const all = [...first, ...during, ...whileDown];
  await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, all)), 30_000);
  const later = signups(5);
  await Promise.all(later.map((event) => publisher.publish(event)));
  await eventually(() => {
    SUBSCRIBERS.forEach((name) => assertEffects(bench, name, [...all, ...later]));
  });
  assert.equal(await eventually(() => bench.depth("dead_letter_queue")), 0);
});
