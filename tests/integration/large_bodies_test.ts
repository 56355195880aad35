/** Foreign messages of many megabytes, many at once: a subscriber must not hold them all. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encode } from "@ecomarket/shared/event";
import { retryExchange, SUBSCRIBER_QUEUES } from "@ecomarket/shared/topology";
import { CONSUMERS } from "../../tasks/consumer_process.ts";
import { Bench } from "../support/bench.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, publishAll, signups, startConsumer } from "../support/roles.ts";

let broker: TestBroker;
Deno.test.beforeAll(async () => {
  broker = await startTestBroker();
});
Deno.test.afterAll(async () => await broker[Symbol.asyncDispose]());

const MIB = 1024 * 1024;
const COUNT = 48;
const BODY_BYTES = 16 * MIB;

Deno.test({
  name: `email takes ${COUNT} bodies of 16 MiB, and holds a few of them at once`,
  ignore: Deno.build.os !== "linux", // The peak of a process's memory is told by /proc alone.
  async fn() {
    await using bench = await Bench.open(broker);
    const [first, later] = signups(2);
    const { content, options } = encode(first!);
    const queue = SUBSCRIBER_QUEUES.email;
    const channel = await bench.connection.createConfirmChannel();
    const put = (body: Buffer, properties = {}) =>
      channel.publish(retryExchange(queue), queue, body, properties);
    // A small one at the head, which was never delivered before, opens the window.
    put(content, options);
    const large = Buffer.alloc(BODY_BYTES, "x");
    for (let n = 0; n < COUNT; n++) put(large);
    await channel.waitForConfirms();

    await using email = await startConsumer(bench, CONSUMERS.email);
    await eventually(
      async () => assert.equal(await bench.depth("dead_letter_queue"), COUNT),
      120_000,
    );
    assertEffects(bench, "email", [first!]);
    const peak = peakMemory(email.pid);
    assert.ok(peak < 500 * MIB, `${Math.round(peak / MIB)} MiB at the peak`);

    await publishAll(bench, [later!]);
    await eventually(() => assertEffects(bench, "email", [first!, later!]));
    assert.equal(await bench.depth(queue), 0);
  },
});

/** The most memory that the process ever had, in bytes (`proc(5)`, `VmHWM`). */
function peakMemory(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  assert.ok(found);
  return Number(found[1]) * 1024;
}
