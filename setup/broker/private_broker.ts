/**
 * The workshop's private broker below `.broker/`: one node in `node/` or a cluster in `cluster/`, on
 * the usual ports where they are free. Both may have data there; only one of them runs.
 */
import { join, resolve } from "node:path";
import { isTls } from "@ecomarket/shared/process/tls_files";
import { isPortFree } from "../machine/free_ports.ts";
import { stopEpmd } from "../node/epmd.ts";
import type { NodePorts, NodeSpec, NodeTls } from "../node/node_files.ts";
import { CLUSTER_SIZE, newPrivateCluster, PrivateCluster } from "../node/private_cluster.ts";
import { newPrivateNode, PrivateNode } from "../node/private_node.ts";
import type { BrokerSize, UsualPorts } from "./broker_options.ts";

/** What the ladder starts and stops. */
export type PrivateBroker = PrivateNode | PrivateCluster;

/** What was ever started in `directory`. */
export async function privateBrokers(directory: string): Promise<readonly PrivateBroker[]> {
  const { node, cluster } = folders(directory);
  const found = [await PrivateNode.find(node), await PrivateCluster.find(cluster)];
  return found.filter((broker) => broker !== undefined);
}

/** The broker that runs (or starts) in `directory`; of a cluster one node is enough. */
export async function runningPrivateBroker(directory: string): Promise<PrivateBroker | undefined> {
  for (const broker of await privateBrokers(directory)) {
    if (await broker.isRunning()) return broker;
  }
  return undefined;
}

/**
 * The broker to start where none runs: with the name and the data of the last one of its size, and
 * each of `usual` that is free now; encrypted where there is `tls`. The second node of a cluster gets the next ports, and so on.
 */
export async function preparePrivateBroker(
  directory: string,
  usual: UsualPorts,
  size: BrokerSize,
  tls?: NodeTls,
): Promise<PrivateBroker> {
  const { node, cluster } = folders(directory);
  if (size === 1) {
    const known = (await PrivateNode.find(node))?.spec;
    return await newPrivateNode({
      directory: node,
      ports: { ...await freeOf(usual), ...await freeOf(await portMapper(known)) },
      ...(known && { cookie: known.cookie }),
      tls,
    });
  }
  const known = (await PrivateCluster.find(cluster))?.nodes[0]?.spec;
  const { amqp, management } = usual;
  const ports = Array.from(
    { length: CLUSTER_SIZE },
    (_, index) => freeOf({ amqp: amqp + index, management: management + index }),
  );
  return await newPrivateCluster({
    directory: cluster,
    ports: await Promise.all(ports),
    ...await freeOf(await portMapper(known)),
    ...(known && { cookie: known.cookie }),
    tls,
  });
}

/** Whether AMQP is encrypted on `broker`. */
export function hasTls(broker: PrivateBroker): boolean {
  return broker.amqpUrls.every(isTls);
}

/** What `broker` is, for a person. */
export function described(broker: PrivateBroker): string {
  return broker instanceof PrivateCluster
    ? `a private RabbitMQ cluster of ${broker.nodes.length} nodes`
    : "a private RabbitMQ node";
}

function folders(directory: string): { readonly node: string; readonly cluster: string } {
  const base = resolve(directory);
  return { node: join(base, "node"), cluster: join(base, "cluster") };
}

/** Those of `ports` that nobody listens on. */
async function freeOf<T extends Partial<NodePorts>>(ports: T): Promise<Partial<T>> {
  const entries = Object.entries(ports);
  const free = await Promise.all(entries.map(([, port]) => isPortFree(port)));
  return Object.fromEntries(entries.filter((_, index) => free[index])) as Partial<T>;
}

/**
 * The port mapper's port of the last time, kept where possible: should that node still be alive in
 * spite of all, the mapper refuses a second one of its name, and the data stay whole.
 */
async function portMapper(known: NodeSpec | undefined): Promise<Partial<NodePorts>> {
  if (!known) return {};
  await stopEpmd(known.ports.epmd);
  return { epmd: known.ports.epmd };
}
