/** What the management API says of the broker, in one round of questions. */
import { z } from "zod";
import {
  type ManagementClient,
  readConsumers,
  readTopology,
} from "@ecomarket/shared/broker/management";
import type { ManagementFacts, NodeFacts, QueueFacts, Usage } from "../facts.ts";
import { look } from "../look.ts";

const nodesSchema = z.array(z.object({
  name: z.string(),
  running: z.boolean(),
  mem_alarm: z.boolean().default(false),
  disk_free_alarm: z.boolean().default(false),
  mem_used: z.number().optional(),
  mem_limit: z.number().optional(),
  // n.b. a number, or a word while it is not known.
  disk_free: z.number().optional().catch(undefined),
  disk_free_limit: z.number().optional().catch(undefined),
  fd_used: z.number().optional().catch(undefined),
  fd_total: z.number().optional().catch(undefined),
}));

const queuesSchema = z.array(z.object({
  name: z.string(),
  type: z.string(),
  members: z.array(z.string()).default([]),
  online: z.array(z.string()).default([]),
  // n.b. without a policy it is `{}`, `[]`, `null` or absent, by version.
  effective_policy_definition: z.record(z.string(), z.unknown()).catch({}),
  head_message_timestamp: z.number().optional().catch(undefined),
}));

const overviewSchema = z.object({ rabbitmq_version: z.string() });
const usersSchema = z.array(z.object({ name: z.string() }));
const permissionsSchema = z.array(z.object({
  user: z.string(),
  vhost: z.string(),
  configure: z.string(),
  write: z.string(),
  read: z.string(),
}));
const flagsSchema = z.array(z.object({ name: z.string(), state: z.string() }));
const deprecatedSchema = z.array(z.object({ name: z.string() }));

/**
 * Reads everything at once.
 *
 * @throws {BrokerUnreachableError} when the API does not answer, or may not be asked.
 */
export async function readManagement(
  client: ManagementClient,
  vhost: string,
): Promise<ManagementFacts> {
  const overview = await client.get("overview", overviewSchema);
  const [topology, queues, consumers, nodes, users, disabledFlags, deprecatedUsed, clock] =
    await Promise.all([
      readTopology(client, vhost),
      readQueues(client, vhost),
      readConsumers(client, vhost),
      readNodes(client),
      look(() => readUsers(client, vhost)),
      look(() => readDisabledFlags(client)),
      look(() => readDeprecated(client, overview.rabbitmq_version)),
      look(() => client.clockSkew()),
    ]);
  return {
    topology,
    queues,
    consumers,
    nodes,
    users,
    disabledFlags,
    deprecatedUsed,
    clock,
  };
}

async function readNodes(client: ManagementClient): Promise<NodeFacts[]> {
  const nodes = await client.get("nodes", nodesSchema);
  return nodes.map((node) => ({
    name: node.name,
    running: node.running,
    memoryAlarm: node.mem_alarm,
    diskAlarm: node.disk_free_alarm,
    memory: usage(node.mem_used, node.mem_limit),
    diskFree: node.disk_free === undefined || node.disk_free_limit === undefined
      ? undefined
      : { bytes: node.disk_free, limit: node.disk_free_limit },
    fileDescriptors: usage(node.fd_used, node.fd_total),
  }));
}

function usage(used: number | undefined, limit: number | undefined): Usage | undefined {
  return used === undefined || !limit ? undefined : { used, limit };
}

async function readQueues(client: ManagementClient, vhost: string): Promise<QueueFacts[]> {
  const queues = await client.get(`queues/${encodeURIComponent(vhost)}`, queuesSchema);
  return queues.map(({ name, type, members, online, ...queue }) => ({
    name,
    type,
    members,
    online,
    policy: queue.effective_policy_definition,
    headTimestamp: queue.head_message_timestamp,
  }));
}

async function readUsers(client: ManagementClient, vhost: string) {
  const [users, permissions] = await Promise.all([
    client.get("users", usersSchema),
    client.get("permissions", permissionsSchema),
  ]);
  return users.map(({ name }) => ({
    name,
    permission: permissions.find((one) => one.user === name && one.vhost === vhost),
  }));
}

async function readDisabledFlags(client: ManagementClient): Promise<string[]> {
  const flags = await client.get("feature-flags", flagsSchema);
  return flags.filter(({ state }) => state === "disabled").map(({ name }) => name);
}

/** n.b. before 3.13 there is no such path. */
async function readDeprecated(client: ManagementClient, version: string): Promise<string[]> {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 3 || (major === 3 && minor < 13)) return [];
  const used = await client.get("deprecated-features/used", deprecatedSchema);
  return used.map(({ name }) => name);
}
