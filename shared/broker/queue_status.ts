/** How much waits in a queue, and who consumes it. */
import type { ChannelModel } from "amqplib";
import { z } from "zod";
import type { ManagementClient } from "./management.ts";

/** A queue's depth and consumers, or `null` where the queue does not exist. */
export type QueueStatus = {
  readonly ready: number;
  readonly consumers: number;
  /** Messages that wait for a retry in the queue itself: of a queue with native retry, where it is known. */
  readonly delayed?: number;
} | null;

/**
 * Reads the depth of each queue. Queues that do not exist are `null`.
 *
 * n.b. up to RabbitMQ 4.2.5 every user may ask this; from then on, one that has some right on the
 * queue (https://github.com/rabbitmq/rabbitmq-server/pull/16272), and others get a 403: see
 * {@link monitoredQueueStatus}.
 */
export async function queueStatus(
  connection: ChannelModel,
  names: readonly string[],
): Promise<Record<string, QueueStatus>> {
  const queues: Record<string, QueueStatus> = {};
  for (const name of names) {
    // n.b. asking for a queue that is missing closes the channel: each question has its own.
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    try {
      const { messageCount, consumerCount } = await channel.checkQueue(name);
      queues[name] = { ready: messageCount, consumers: consumerCount };
      await channel.close();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 404) throw error;
      queues[name] = null;
    }
  }
  return queues;
}

/**
 * As {@link queueStatus}, of the management API, for users that change nothing. It may be some seconds
 * old. It alone knows what waits for a native retry (tried on 4.3.6).
 */
export async function monitoredQueueStatus(
  client: ManagementClient,
  vhost: string,
  names: readonly string[],
): Promise<Record<string, QueueStatus>> {
  const standing = await client.get(`queues/${encodeURIComponent(vhost)}`, depthsSchema);
  const byName = new Map(standing.map((queue) => [queue.name, queue]));
  return Object.fromEntries(names.map((name) => {
    const found = byName.get(name);
    if (!found) return [name, null];
    const { messages_ready: ready, messages_delayed: delayed, consumers } = found;
    return [name, { ready, consumers, ...(delayed ? { delayed } : {}) }];
  }));
}

/** n.b. a queue that was declared a moment ago has no figures yet. */
const depthsSchema = z.array(
  z.object({
    name: z.string(),
    messages_ready: z.number().default(0),
    messages_delayed: z.number().default(0),
    consumers: z.number().default(0),
  }),
);
