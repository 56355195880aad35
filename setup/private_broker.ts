/** The workshop's private broker: one node in `.broker/node`, on the usual ports where they are free. */
import { join, resolve } from "node:path";
import { stopEpmd } from "./epmd.ts";
import { isPortFree } from "./free_ports.ts";
import type { UsualPorts } from "./broker_options.ts";
import type { NodePorts } from "./node_files.ts";
import { newPrivateNode, PrivateNode } from "./private_node.ts";

/** The node of the broker in `directory`, or `undefined` when there was never one. */
export async function privateBrokerNode(directory: string): Promise<PrivateNode | undefined> {
  return await PrivateNode.find(join(resolve(directory), "node"));
}

/**
 * The node to start: the one that runs (or starts) in `directory`; else one with its name and data,
 * and each of `usual` that is free now.
 */
export async function preparePrivateBroker(
  directory: string,
  usual: UsualPorts,
): Promise<PrivateNode> {
  const known = await privateBrokerNode(directory);
  if (known && await known.isRunning()) return known;
  return await newPrivateNode({
    directory: join(resolve(directory), "node"),
    ports: { ...await freeOf(usual), ...await freeOf(await portMapper(known)) },
    ...(known && { cookie: known.spec.cookie }),
  });
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
async function portMapper(known: PrivateNode | undefined): Promise<Partial<NodePorts>> {
  if (!known) return {};
  await stopEpmd(known.spec.ports.epmd);
  return { epmd: known.spec.ports.epmd };
}
