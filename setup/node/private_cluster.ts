/**
 * Several private nodes that are one broker: what is published to one is on the others, and the
 * loss of any one of three is no more than a reconnect to its clients.
 */
import { join } from "node:path";
import { BrokerSetupError, ignoreNotFound } from "@ecomarket/shared/base/errors";
import { poll } from "@ecomarket/shared/base/poll";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { freePorts } from "../machine/free_ports.ts";
import { type QuorumQueue, readQuorumQueue, readRunningNodes } from "./cluster_view.ts";
import { newNodeSpec } from "./new_node.ts";
import type { NodePorts, NodeTls } from "./node_files.ts";
import { PrivateNode, type StartOptions } from "./private_node.ts";

/** How many nodes: the fewest of which one may be lost, for two of three are still the majority. */
export const CLUSTER_SIZE = 3;

/**
 * A cluster of private nodes, each in a folder of its own below one. Creating one starts nothing.
 *
 * Each node may be stopped, killed and started again by itself: it comes back to the cluster. A node
 * that is left without the majority refuses clients until the majority is back.
 */
export class PrivateCluster {
  readonly directory: string;
  readonly nodes: readonly PrivateNode[];

  constructor(directory: string, nodes: readonly PrivateNode[]) {
    this.directory = directory;
    this.nodes = nodes;
  }

  /** The cluster in `directory`, running or not; `undefined` when there was never one. */
  static async find(directory: string): Promise<PrivateCluster | undefined> {
    const first = await PrivateNode.find(nodeDirectory(directory, nodeName(1)));
    if (!first) return undefined;
    const found = await Promise.all(
      first.spec.cluster.map((name) => PrivateNode.find(nodeDirectory(directory, name))),
    );
    const nodes = found.filter((node) => node !== undefined);
    // All are written before any starts: where one is missing, none was ever started.
    return nodes.length === found.length ? new PrivateCluster(directory, nodes) : undefined;
  }

  /** One per node, credentials included. */
  get amqpUrls(): readonly string[] {
    return this.nodes.map((node) => node.amqpUrl);
  }

  /** The first node's, credentials included. Every node has its own, which tells about all. */
  get managementUrl(): string {
    return this.nodes[0]!.managementUrl;
  }

  /**
   * Starts the nodes that do not run, all at once, and waits until every node sees every other.
   *
   * @returns the RabbitMQ version.
   * @throws {BrokerSetupError} when a node does not start, or they do not find each other within
   * `timeoutMs`. Those that this call started are not left running.
   */
  async start({ timeoutMs = 120_000, signal }: StartOptions = {}): Promise<string> {
    const missing = await this.missingNodes();
    for (const node of missing) await node.prepare();
    const failed = new AbortController();
    const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const starts = this.nodes.map(async (node) => {
      try {
        return await node.start({ timeoutMs, signal: either });
      } catch (error) {
        failed.abort(error); // The others need not go on.
        throw error;
      }
    });
    try {
      await Promise.allSettled(starts);
      const [version] = await Promise.all(starts);
      await this.untilFormed(timeoutMs, signal);
      return version!;
    } catch (error) {
      await Promise.all(missing.map((node) => node.kill()));
      throw failed.signal.aborted ? failed.signal.reason : error;
    }
  }

  /** Whether at least one node lives. */
  async isRunning(): Promise<boolean> {
    return (await this.missingNodes()).length < this.nodes.length;
  }

  /** The nodes that do not run. */
  async missingNodes(): Promise<readonly PrivateNode[]> {
    const running = await Promise.all(this.nodes.map((node) => node.isRunning()));
    return this.nodes.filter((_, index) => !running[index]);
  }

  /** Stops every node in order, data kept. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  /** Kills every node at once, as a power cut would. Data on disk are kept. */
  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }

  /** Stops every node and deletes their folders. */
  async reset(): Promise<void> {
    await this.stop();
    await Deno.remove(this.directory, { recursive: true }).catch(ignoreNotFound);
  }

  /**
   * The members of a quorum queue, as the first node that answers sees them.
   *
   * @throws {BrokerUnreachableError} when no node answers, or there is no such queue.
   */
  async quorumQueue(vhost: string, queue: string): Promise<QuorumQueue> {
    let failure: unknown;
    for (const node of this.nodes) {
      try {
        return await readQuorumQueue(clientOf(node), vhost, queue);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** The node that leads a quorum queue; `undefined` while its members elect one. */
  async leaderOf(vhost: string, queue: string): Promise<PrivateNode | undefined> {
    const { leader } = await this.quorumQueue(vhost, queue);
    return this.nodes.find((node) => node.spec.name === leader);
  }

  /**
   * Resolves once every node sees every other one run.
   *
   * @throws {BrokerSetupError} that tells what each node sees, after `timeoutMs`.
   */
  async untilFormed(timeoutMs = 120_000, signal?: AbortSignal): Promise<void> {
    let seen: readonly (readonly string[])[] = [];
    const formed = async () => {
      seen = await Promise.all(
        this.nodes.map((node) => readRunningNodes(clientOf(node)).catch(() => [])),
      );
      return seen.every((names) => names.length === this.nodes.length);
    };
    if (await poll(formed, { timeoutMs, intervalMs: 200, signal })) return;
    const views = this.nodes.map((node, index) =>
      `  - ${node.spec.name} sees ${seen[index]?.join(", ") || "nobody"}`
    );
    throw new BrokerSetupError(
      `The nodes did not become one cluster within ${timeoutMs / 1_000} s:\n${views.join("\n")}`,
    );
  }
}

/** What to make a cluster of; what is left out is chosen. */
export interface NewCluster {
  readonly directory: string;
  /** For each node those that are asked for. @default free ports */
  readonly ports?: readonly Partial<NodePorts>[];
  /** @default a free port */
  readonly epmd?: number | undefined;
  /** @default a random one */
  readonly cookie?: string | undefined;
  /** What every node has. @default plain AMQP */
  readonly tls?: NodeTls | undefined;
}

/** A cluster of {@link CLUSTER_SIZE} nodes with the workshop's credentials, not started. */
export async function newPrivateCluster(options: NewCluster): Promise<PrivateCluster> {
  const { directory, ports = [], cookie = crypto.randomUUID(), tls } = options;
  const names = Array.from({ length: CLUSTER_SIZE }, (_, index) => nodeName(index + 1));
  const free = [...await freePorts(3 * CLUSTER_SIZE + 1)];
  const epmd = options.epmd ?? free.pop()!;
  const specs = names.map((name, index) => {
    const [amqp, management, dist] = free.splice(0, 3);
    return newNodeSpec({
      directory: nodeDirectory(directory, name),
      name,
      ports: { amqp: amqp!, management: management!, dist: dist!, ...ports[index], epmd },
      cookie,
      cluster: names,
      tls,
    });
  });
  const nodes = (await Promise.all(specs)).map((spec) => new PrivateNode(spec));
  return new PrivateCluster(directory, nodes);
}

function clientOf(node: PrivateNode): ManagementClient {
  return new ManagementClient(node.managementUrl);
}

/** The name of the node with this number, from 1. */
function nodeName(number: number): string {
  return `ecomarket_${number}@localhost`;
}

function nodeDirectory(directory: string, name: string): string {
  return join(directory, name.split("@")[0]!);
}
