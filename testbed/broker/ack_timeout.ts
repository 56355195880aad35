/** The broker's consumer timeout, lowered so far that it can be waited for. */
import { Buffer } from "node:buffer";
import type { ChannelModel } from "amqplib";
import type { PrivateNode } from "@ecomarket/setup/node/private_node";
import { connectOnce } from "@ecomarket/shared/broker/connection";

/** RabbitMQ's own, in milliseconds; and how often a channel looks at it. */
const DEFAULT_TIMEOUT_MS = 1_800_000;
const DEFAULT_TICK_MS = 60_000;

/**
 * Lowers it to `timeoutMs` for all of the broker, until disposed. n.b. a channel reads it when it is
 * opened: those that stand keep what they have.
 */
export async function lowerAckTimeout(
  node: PrivateNode,
  timeoutMs: number,
): Promise<AsyncDisposable> {
  await setAckTimeout(node, timeoutMs, timeoutMs / 8);
  return {
    [Symbol.asyncDispose]: () => setAckTimeout(node, DEFAULT_TIMEOUT_MS, DEFAULT_TICK_MS),
  };
}

async function setAckTimeout(node: PrivateNode, timeoutMs: number, tickMs: number): Promise<void> {
  await node.ctl(
    "eval",
    `application:set_env(rabbit, consumer_timeout, ${timeoutMs}),` +
      `application:set_env(rabbit, channel_tick_interval, ${Math.round(tickMs)}).`,
  );
}

/**
 * Takes a message and never acknowledges it, `times` times over. Resolves once the broker has taken
 * it back each time: proof that whoever has held one since before was over its time, too.
 */
export async function sufferAckTimeout(amqpUrl: string, times: number): Promise<void> {
  const connection = await connectOnce([amqpUrl], "ack timeout");
  const keeper = await connection.createChannel();
  // n.b. on 4.3 a classic queue knows no such timeout.
  const { queue } = await keeper.assertQueue(`ack_timeout.${crypto.randomUUID()}`, {
    arguments: { "x-queue-type": "quorum" },
  });
  try {
    await keeper.bindQueue(queue, "amq.direct", queue);
    keeper.publish("amq.direct", queue, Buffer.from("held"));
    for (let n = 0; n < times; n++) await sufferOnce(connection, queue);
  } finally {
    await keeper.deleteQueue(queue);
    await connection.close();
  }
}

async function sufferOnce(connection: ChannelModel, queue: string): Promise<void> {
  const { promise: isTaken, resolve } = Promise.withResolvers<void>();
  const channel = await connection.createChannel();
  channel.on("error", () => {}); // PRECONDITION_FAILED: that is what is waited for.
  channel.on("close", resolve);
  // n.b. from 4.3 on, the broker cancels the consumer and leaves the channel open.
  await channel.consume(queue, (message) => message ?? resolve());
  await isTaken;
  await channel.close().catch(() => {}); // On 3.10 it is closed already.
}
