/** How much waits in a queue, and who consumes it. */
import type { ChannelModel } from "amqplib";

/** A queue's depth and consumers, or `null` where the queue does not exist. */
export type QueueStatus = { readonly ready: number; readonly consumers: number } | null;

/** Reads the depth of each queue. Queues that do not exist are `null`. */
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
