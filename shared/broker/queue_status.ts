/** How much waits in a queue, and who consumes it. */
import type { ChannelModel } from "amqplib";
import { z } from "zod";
import type { ManagementClient } from "./management.ts";

/** A queue's depth and consumers, or `null` where the queue does not exist. */
export type QueueStatus = { readonly ready: number; readonly consumers: number } | null;

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

/** As {@link queueStatus}, of the management API, for users that change nothing. It may be some seconds old. */
export async function monitoredQueueStatus(
  client: ManagementClient,
  vhost: string,
  names: readonly string[],
): Promise<Record<string, QueueStatus>> {
  const standing = await client.get(`queues/${encodeURIComponent(vhost)}`, depthsSchema);
  const byName = new Map(standing.map((queue) => [queue.name, queue]));
  return Object.fromEntries(names.map((name) => {
    const found = byName.get(name);
    return [name, found ? { ready: found.messages_ready, consumers: found.consumers } : null];
  }));
}

/** n.b. a queue that was declared a moment ago has no figures yet. */
const depthsSchema = z.array(
  z.object({
    name: z.string(),
    messages_ready: z.number().default(0),
    consumers: z.number().default(0),
  }),
);
