/** Foreign messages of many megabytes, many at once: a subscriber must not hold them all. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  retryExchange,
  SUBSCRIBER_QUEUES,
  subscriberSlice,
} from "@ecomarket/shared/contract/topology";
import type { Consumer } from "@ecomarket/shared/subscriber";
import { MAX_BYTES_IN_HAND } from "../../shared/subscriber/window.ts";
import { Bench, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const queue = SUBSCRIBER_QUEUES.email;
const COUNT = 12;
const BODY_BYTES = 16 * 1024 * 1024;

/** Takes bodies of any size, and says how many bytes of them it has in hand; holds the large ones. */
function holdingConsumer(release: Promise<void>) {
  const seen = { bytes: 0, peakBytes: 0, handled: [] as string[] };
  const consumer: Consumer<number> = {
    name: "email",
    migrations: [],
    spec: () => ({
      name: "email",
      queue,
      topology: subscriberSlice({ queue, exchanges: [] }, TEST_DELAYS_MS),
      failure: { kind: "retry", delaysMs: TEST_DELAYS_MS },
      decode: ({ content, properties }) => ({
        id: String(properties.messageId),
        payload: content.length,
      }),
      async handle(bytes, { signal }) {
        seen.bytes += bytes;
        seen.peakBytes = Math.max(seen.peakBytes, seen.bytes);
        const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
        if (bytes > 1) await Promise.race([release, aborted]);
        seen.bytes -= bytes;
        signal.throwIfAborted();
        seen.handled.push(String(bytes));
        return [];
      },
    }),
  };
  return { consumer, seen };
}

Deno.test("runSubscriber() has few bodies in hand where they are large, and takes all of them", async () => {
  await using bench = await Bench.open(broker);
  const channel = await bench.connection.createConfirmChannel();
  const put = (messageId: string, body: Buffer) =>
    channel.publish(retryExchange(queue), queue, body, { messageId });
  // A small one at the head, which was never delivered before, opens the window.
  put("small", Buffer.alloc(1));
  const large = Buffer.alloc(BODY_BYTES);
  for (let n = 0; n < COUNT; n++) put(`large-${n}`, large);
  await channel.waitForConfirms();

  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { consumer, seen } = holdingConsumer(released);
  await using _running = bench.run(consumer, { prefetch: 100 });
  await eventually(async () => {
    assert.ok(seen.bytes > 0, "some are in hand");
    const waiting = await bench.depth(queue);
    assert.ok(waiting >= COUNT - MAX_BYTES_IN_HAND / BODY_BYTES, `${waiting} wait at the broker`);
  }, 30_000);
  assert.ok(seen.peakBytes <= MAX_BYTES_IN_HAND);

  release();
  await eventually(() => assert.equal(seen.handled.length, COUNT + 1), 60_000);
  await eventually(async () => assert.equal(await bench.depth(queue), 0));
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});
