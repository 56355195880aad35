/** A message that the client library cannot decode: it is parked, and stops nobody. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  PARKED_QUEUE,
  SUBSCRIBER_QUEUES,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { nestedArrays, UNDECODABLE_DEPTH } from "@ecomarket/testbed/broker/nested_headers";
import { RawAmqp } from "@ecomarket/testbed/broker/raw_amqp";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { signups } from "@ecomarket/testbed/events/signups";
import { countDeadLetters, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { Bench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, publishAll, startAllConsumers } from "../support/roles.ts";

Deno.test("a message that cannot be decoded is parked for each subscriber, and the archive goes on", async () => {
  await using broker = await startTestBroker();
  await using bench = await Bench.open(broker);
  const before = signups(20);
  const after = signups(20);
  await startAllConsumers(bench);
  await publishAll(bench, before);

  using raw = await RawAmqp.connect(bench.amqpUrl);
  const headers = nestedArrays(UNDECODABLE_DEPTH);
  await raw.publish(USER_EVENTS_EXCHANGE, { headers }, Buffer.from("{}"));
  bench.publishRaw("no es JSON {");
  await publishAll(bench, after);

  const copies = SUBSCRIBERS.length;
  // n.b. each lost link is a new one a second or two later, and each copy costs twice a delivery limit of them.
  await eventually(async () => {
    assert.equal(await bench.depth(PARKED_QUEUE), copies);
    assert.equal(countDeadLetters((name) => join(bench.directory, name)), copies);
    for (const subscriber of SUBSCRIBERS) assertEffects(bench, subscriber, [...before, ...after]);
  }, 240_000);
  for (const queue of [...Object.values(SUBSCRIBER_QUEUES), "dead_letter_queue"]) {
    await eventually(async () => assert.equal(await bench.depth(queue), 0, queue));
  }
});
