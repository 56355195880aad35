/** The broker's consumer timeout, lowered so far that a test sees it. */
import { Buffer } from "node:buffer";
import { connectOnce } from "@ecomarket/shared/connection";
import type { TestBroker } from "./broker.ts";

const TIMEOUT_MS = 4_000;
const TICK_MS = 500;
/** RabbitMQ's own. */
const DEFAULT_TIMEOUT_MS = 1_800_000;
const DEFAULT_TICK_MS = 60_000;

/** Lowers it for all of `broker`, until disposed. n.b. a channel learns of it when it is opened. */
export async function lowerAckTimeout(broker: TestBroker): Promise<AsyncDisposable> {
  await setAckTimeout(broker, TIMEOUT_MS, TICK_MS);
  return {
    [Symbol.asyncDispose]: () => setAckTimeout(broker, DEFAULT_TIMEOUT_MS, DEFAULT_TICK_MS),
  };
}

async function setAckTimeout(broker: TestBroker, timeoutMs: number, tickMs: number): Promise<void> {
  await broker.node.ctl(
    "eval",
    `application:set_env(rabbit, consumer_timeout, ${timeoutMs}),` +
      `application:set_env(rabbit, channel_tick_interval, ${tickMs}).`,
  );
}

/**
 * Takes one message and never acknowledges it, `times` times over. Resolves once the broker has taken
 * it back each time: proof that whoever held one since before was over its time, too.
 */
export async function sufferAckTimeout(amqpUrl: string, times: number): Promise<void> {
  const connection = await connectOnce([amqpUrl], "test");
  try {
    const keeper = await connection.createChannel();
    const { queue } = await keeper.assertQueue("", { exclusive: true });
    keeper.sendToQueue(queue, Buffer.from("held"));
    for (let n = 0; n < times; n++) {
      const taken = Promise.withResolvers<void>();
      const channel = await connection.createChannel();
      channel.on("error", () => {}); // PRECONDITION_FAILED: that is what is waited for.
      channel.on("close", () => taken.resolve());
      await channel.consume(queue, (message) => message ?? taken.resolve());
      await taken.promise;
    }
  } finally {
    await connection.close();
  }
}
