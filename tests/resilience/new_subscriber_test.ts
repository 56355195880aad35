/** The workshop's third test: one more subscriber, while everything runs. */
import assert from "node:assert/strict";
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { signups } from "@ecomarket/testbed/events/signups";
import { Bench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import {
  assertEffects,
  eventIds,
  publishAll,
  startAllConsumers,
  startConsumer,
} from "../support/roles.ts";

const AUDIT = {
  name: "audit",
  script: "tests/support/audit_consumer.ts",
  permissionSet: "audit-consumer",
  folder: "audit",
};

Deno.test("a new subscriber receives from its first moment on, and nobody else notices", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  // One publisher for the whole test: it is not touched, not even restarted.
  await using publisher = await RobustPublisher.connect({ urls: [bench.amqpUrl], log: bench.log });
  const publish = async (count: number) => {
    const events = signups(count);
    const outcomes = await Promise.all(events.map((event) => publisher.publish(event)));
    assert.ok(outcomes.every(({ status }) => status === "confirmed"));
    return events;
  };

  const before = await publish(10);
  await using _audit = await startConsumer(bench, AUDIT, { amqpUrls: [bench.amqpUrl] });
  const after = await publish(10);

  const expected = after.map(({ event_id }) => event_id).sort();
  await eventually(() => assert.deepEqual(eventIds(bench, "audit", "audit"), expected));
  for (const name of ["email", "loyalty", "analytics"] as const) {
    await eventually(() => assertEffects(bench, name, [...before, ...after]));
  }
});

Deno.test("a copied consumer with only another queue is refused, and takes no effect from the first", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  await using _audit = await startConsumer(bench, AUDIT, { amqpUrls: [bench.amqpUrl] });
  const copy = { ...AUDIT, script: "tests/support/copied_consumer.ts" };
  await assert.rejects(
    startConsumer(bench, copy, { amqpUrls: [bench.amqpUrl] }),
    (error: Error) => {
      assert.match(error.message, /ended \(2\)\. error: The store in .*audit belongs to/);
      assert.match(
        error.message,
        /"audit" of "audit_queue", not to "audit" of "copied_audit_queue"/,
      );
      return true;
    },
  );
  const events = signups(100);
  await publishAll(bench, events);
  const expected = events.map(({ event_id }) => event_id).sort();
  await eventually(() => assert.deepEqual(eventIds(bench, "audit", "audit"), expected));
});
