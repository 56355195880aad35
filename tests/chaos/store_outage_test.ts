/** A store that is away for longer than the broker waits for an ack, twice over. */
import assert from "node:assert/strict";
import { lowerAckTimeout, sufferAckTimeout } from "@ecomarket/testbed/broker/ack_timeout";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { emailStore, handled, publishSignups } from "../support/email_store.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

for (const prefetch of [1, 100]) {
  Deno.test(`runSubscriber() with a window of ${prefetch} does everything once after an outage of two ack timeouts`, async () => {
    await using bench = await Bench.open(broker);
    await using _lowered = await lowerAckTimeout(broker.node, 4_000);
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const consumer = recordingConsumer(async () => {
      begun.resolve();
      await finish.promise;
    });
    await using _running = bench.run(consumer, { prefetch });
    const ids = publishSignups(bench, "u-1", "u-2", "u-3");
    await begun.promise;
    {
      using _lock = lockStore(emailStore(bench));
      finish.resolve();
      await sufferAckTimeout(bench.amqpUrl, 2);
      assert.deepEqual(handled(bench), []);
    }
    await eventually(() => assert.deepEqual(handled(bench), ids));
    await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue"));
    assert.deepEqual(consumer.handled.toSorted(), ["u-1", "u-2", "u-3"], "each was handled once");

    const later = publishSignups(bench, "u-4");
    await eventually(() => assert.deepEqual(handled(bench), [...ids, ...later].sort()));
  });
}
