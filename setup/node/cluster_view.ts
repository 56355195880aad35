/** What one node of a cluster tells about all of it, through its management API. */
import { z } from "zod";
import type { ManagementClient } from "@ecomarket/shared/broker/management";

const nodesSchema = z.array(z.object({ name: z.string(), running: z.boolean() }));

/**
 * The names of the nodes that run, sorted.
 *
 * @throws {BrokerUnreachableError} when the API does not answer.
 */
export async function readRunningNodes(client: ManagementClient): Promise<readonly string[]> {
  const nodes = await client.get("nodes", nodesSchema);
  return nodes.filter(({ running }) => running).map(({ name }) => name).sort();
}

/** The members of a quorum queue, by the names of their nodes. */
export interface QuorumQueue {
  /** `undefined` while there is none: the members elect one. */
  readonly leader: string | undefined;
  readonly members: readonly string[];
  /** The members that take part now. */
  readonly online: readonly string[];
}

const quorumQueueSchema = z.object({
  leader: z.string().nullish().transform((name) => name || undefined),
  members: z.array(z.string()),
  online: z.array(z.string()),
});

/**
 * The members of a quorum queue. n.b. the answer may be a moment old.
 *
 * @throws {BrokerUnreachableError} when the API does not answer, or there is no such queue.
 */
export async function readQuorumQueue(
  client: ManagementClient,
  vhost: string,
  queue: string,
): Promise<QuorumQueue> {
  const path = `queues/${encodeURIComponent(vhost)}/${encodeURIComponent(queue)}`;
  return await client.get(path, quorumQueueSchema);
}
