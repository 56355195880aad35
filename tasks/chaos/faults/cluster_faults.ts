/** What can happen to a broker of three nodes. */
import { setTimeout as delay } from "node:timers/promises";
import type { PrivateCluster } from "@ecomarket/setup/node/private_cluster";
import type { PrivateNode } from "@ecomarket/setup/node/private_node";
import { until } from "@ecomarket/shared/base/poll";
import { vhostOf } from "@ecomarket/shared/broker/management";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import type { World } from "../world.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

/** How long the cluster runs with one node fewer. */
const OUTAGE_MS = 6_000;

/** The node that leads `queue`, once there is one. */
async function leaderOf(world: World, queue: string): Promise<PrivateNode> {
  let leader: PrivateNode | undefined;
  await until(`a leader of ${queue}`, async () => {
    leader = await clusterOf(world).leaderOf(vhostOf(world.directUrls[0]!), queue);
    return leader !== undefined;
  });
  return leader!;
}

function clusterOf({ broker }: World): PrivateCluster {
  if (!broker.cluster) throw new Error("This fault needs a cluster");
  return broker.cluster;
}

/** `kill -9` of a node; the flow must go on without it, which is seen before it is started again. */
async function killNode(world: World, node: PrivateNode, why: string): Promise<FaultOutcome> {
  const before = node.pid;
  await node.kill();
  const killedAt = performance.now();
  let goesOnMs: number;
  try {
    await Promise.all(world.running.map((name) => world.logs[name].nextEffect()));
    goesOnMs = Math.round(performance.now() - killedAt);
    await delay(OUTAGE_MS);
  } finally {
    await node.start();
    await clusterOf(world).untilFormed();
  }
  const proof = `${node.spec.name} (${why}), pid ${before} → ${node.pid}; ` +
    `the subscribers went on after ${goesOnMs} ms with two nodes`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

async function killLeader(world: World): Promise<FaultOutcome> {
  const queue = SUBSCRIBER_QUEUES.email;
  return await killNode(world, await leaderOf(world, queue), `the leader of ${queue}`);
}

async function killConnected(world: World): Promise<FaultOutcome> {
  const counts = world.proxies.map(({ open }) => open);
  const most = counts.indexOf(Math.max(...counts));
  return await killNode(world, world.broker.nodes[most]!, `${counts[most]} roles connected`);
}

async function rollingRestart(world: World): Promise<FaultOutcome> {
  const pids: string[] = [];
  for (const node of world.broker.nodes) {
    const before = node.pid;
    await node.restart();
    await clusterOf(world).untilFormed();
    pids.push(`${before} → ${node.pid}`);
  }
  const proof = `pids ${pids.join(", ")}`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

/**
 * One node cannot speak with the other two: it forgets their cookie, which is what Erlang nodes
 * recognise each other by. Being the minority, it must stop serving until they meet again.
 */
async function partition(world: World): Promise<FaultOutcome> {
  const node = await leaderOf(world, SUBSCRIBER_QUEUES.loyalty);
  const others = world.broker.nodes.filter((other) => other !== node);
  const names = `[${others.map(({ spec }) => `'${spec.name}'`).join(",")}]`;
  const forget =
    `[begin erlang:set_cookie(N, partition), erlang:disconnect_node(N) end || N <- ${names}].`;
  const remember = `[erlang:set_cookie(N, erlang:get_cookie()) || N <- ${names}].`;
  await node.ctl("eval", forget);
  const cutAt = performance.now();
  try {
    await until("the majority's loss of a node", async () => {
      const seen = await others[0]!.ctl("eval", "nodes().");
      return !seen.includes(node.spec.name);
    });
    await Promise.all(world.running.map((name) => world.logs[name].nextEffect()));
  } finally {
    await delay(OUTAGE_MS);
    await node.ctl("eval", remember);
  }
  const outageMs = Math.round(performance.now() - cutAt);
  await clusterOf(world).untilFormed();
  const proof = `${node.spec.name} without the other two for ${outageMs} ms; the flow went on`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

/** Faults of a broker of three nodes. */
export const CLUSTER_FAULTS: readonly Fault[] = [
  {
    name: "leader-killed",
    description: "kill -9 of the node that leads email_queue",
    nodes: 3,
    inject: killLeader,
  },
  {
    name: "connected-node-killed",
    description: "kill -9 of the node that the roles are connected to",
    nodes: 3,
    inject: killConnected,
  },
  {
    name: "partition",
    description: "one node is cut off from the other two",
    nodes: 3,
    inject: partition,
  },
  {
    name: "rolling-restart",
    description: "the nodes are restarted one after the other",
    nodes: 3,
    inject: rollingRestart,
  },
];
