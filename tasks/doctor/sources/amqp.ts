/** What the broker says over AMQP: its version, how much waits, who consumes. */
import { brokerVersion } from "@ecomarket/shared/broker/broker_version";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import type { AmqpFacts } from "../facts.ts";

const TIMEOUT_MS = 3_000;

/**
 * Asks passively: nothing is declared, taken or put back.
 *
 * @throws what `withConnection` throws.
 */
export async function readAmqp(
  urls: readonly string[],
  queues: readonly string[],
): Promise<AmqpFacts> {
  return await withConnection(urls, "doctor", async (connection) => ({
    version: brokerVersion(connection),
    queues: await queueStatus(connection, queues),
  }), TIMEOUT_MS);
}
