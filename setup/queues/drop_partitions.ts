/** Takes the partitions of an ordered subscriber away, so that it may have another number of them. */
import type { ChannelModel } from "amqplib";
import { setTimeout as delay } from "node:timers/promises";
import { MigrationError } from "@ecomarket/shared/base/errors";
import { type ManagementClient, readTopology, vhostOf } from "@ecomarket/shared/broker/management";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import {
  dividedQueue,
  partitionAdvice,
  partitionExchange,
} from "@ecomarket/shared/contract/partitions";

/** What routed an event before the partitions were unbound has routed it by then. */
const QUIET_MS = 1_000;

/**
 * Deletes the partitions of `queue` and the exchanges before them, once they have been unbound and
 * empty for a second. What is published from then on until they are declared again does not reach its
 * subscriber. Killed on the way, it is run again.
 *
 * @returns the queues and exchanges that are gone.
 * @throws {MigrationError} when an event waits in them, comes meanwhile, or somebody consumes them:
 *   they stand as before then.
 */
export async function dropPartitions(
  queue: string,
  urls: readonly string[],
  management: ManagementClient,
): Promise<string[]> {
  const standing = await readTopology(management, vhostOf(urls[0]!));
  const isOurs = ({ name }: { readonly name: string }) => dividedQueue(name) === queue;
  const queues = standing.queues.filter(isOurs).map(({ name }) => name);
  const exchanges = standing.exchanges.filter(isOurs).map(({ name }) => name);
  const sources = standing.bindings.filter((binding) =>
    binding.destination_type === "exchange" && binding.destination === partitionExchange(queue)
  );
  await withConnection(urls, "setup-queues", async (connection) => {
    await refuseBusy(connection, queue, queues);
    const channel = await connection.createChannel();
    channel.on("error", () => {}); // The call that caused it rejects with it.
    for (const { source, destination, routing_key } of sources) {
      await channel.unbindExchange(destination, source, routing_key);
    }
    try {
      await delay(QUIET_MS);
      await refuseBusy(connection, queue, queues);
    } catch (error) {
      for (const { source, destination, routing_key } of sources) {
        await channel.bindExchange(destination, source, routing_key);
      }
      throw error;
    }
    for (const name of queues) await channel.deleteQueue(name);
    for (const name of exchanges) await channel.deleteExchange(name);
    await channel.close();
  });
  return [...queues, ...exchanges];
}

async function refuseBusy(
  connection: ChannelModel,
  queue: string,
  names: readonly string[],
): Promise<void> {
  const all = Object.values(await queueStatus(connection, names));
  const ready = all.reduce((sum, status) => sum + (status?.ready ?? 0), 0);
  const consumers = all.reduce((sum, status) => sum + (status?.consumers ?? 0), 0);
  if (ready === 0 && consumers === 0) return;
  const reason = consumers > 0
    ? `${consumers} consumer(s) stand at them`
    : `${ready} event(s) wait in them`;
  throw new MigrationError(
    `Cannot drop the partitions of "${queue}": ${reason}. Nothing was deleted. ${
      partitionAdvice(queue)
    }`,
  );
}
