/**
 * A RabbitMQ broker for one test: a private node, or a cluster of them, in a folder of its own on
 * free ports, that a test may stop, kill and start again. It never outlives the test, however the
 * test ends.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { requireRabbitmq } from "@ecomarket/setup/broker/require_rabbitmq";
import { newPrivateCluster, type PrivateCluster } from "@ecomarket/setup/node/private_cluster";
import { newPrivateNode, type PrivateNode } from "@ecomarket/setup/node/private_node";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { printError } from "@ecomarket/shared/process/main";
import { createVhost } from "./private_vhost.ts";
import { untilQueuesAreOnDisk } from "./queues_on_disk.ts";

/** Without a broker a test fails, it is not skipped: so what a broker needs is installed first. */
const INSTALLATION = { read: (name: string) => Deno.env.get(name), say: printError };

/** A broker that belongs to one test. Disposing it leaves no process, no port and no file. */
export interface TestBroker extends AsyncDisposable {
  /** Credentials included. The same over every restart. */
  readonly amqpUrl: string;
  /** Credentials included. */
  readonly managementUrl: string;
  /** For tests that look at the process. */
  readonly node: PrivateNode;
  /** Resolves once the broker answers. */
  start(): Promise<void>;
  /** Stops it in order, data kept. RabbitMQ 3.10 takes five seconds for it. */
  stop(): Promise<void>;
  /** {@link TestBroker.stop}, then {@link TestBroker.start}. */
  restart(): Promise<void>;
  /**
   * Ends it as a crash would (SIGKILL), confirmed messages kept. It first waits, up to a second,
   * where a queue was declared just now: see {@link untilQueuesAreOnDisk}.
   */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a broker and waits until it answers. Takes about six seconds on a laptop. */
export async function startTestBroker(): Promise<TestBroker> {
  await requireRabbitmq(INSTALLATION);
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_test_broker_" });
  const reaper = startReaper(directory);
  const node = await newPrivateNode({ directory, name: "ecomarket_test@localhost" });
  const broker: TestBroker = {
    amqpUrl: node.amqpUrl,
    managementUrl: node.managementUrl,
    node,
    start: async () => void await node.start(),
    stop: () => node.stop(),
    restart: () => node.restart(),
    kill: () => crash(node),
    [Symbol.asyncDispose]: async () => {
      await node.kill();
      await reaper.release();
    },
  };
  try {
    await broker.start();
    return broker;
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
}

/** A broker of three nodes that belongs to one test. Disposing it leaves nothing behind. */
export interface TestCluster extends AsyncDisposable {
  /** One per node, credentials included. The same over every restart. */
  readonly amqpUrls: readonly string[];
  /** The first node's, credentials included. */
  readonly managementUrl: string;
  /** For tests that stop, pause or start nodes. It is in `cluster/` of {@link directory}. */
  readonly cluster: PrivateCluster;
  /** As a person's `.broker/`: what the ladder of `setup/broker/broker.ts` takes. */
  readonly directory: string;
  /** Ends one node as a crash would: see {@link TestBroker.kill}. */
  kill(node: PrivateNode): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts three nodes and waits until they are one broker. Takes 15 to 30 seconds on two cores. */
export async function startTestCluster(): Promise<TestCluster> {
  await requireRabbitmq(INSTALLATION);
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_test_cluster_" });
  const reaper = startReaper(directory);
  const cluster = await newPrivateCluster({ directory: join(directory, "cluster") });
  const { amqpUrls, managementUrl } = cluster;
  const dispose = () => cluster.kill().finally(() => reaper.release());
  try {
    await cluster.start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    amqpUrls,
    managementUrl,
    cluster,
    directory,
    kill: crash,
    [Symbol.asyncDispose]: dispose,
  };
}

async function crash(node: PrivateNode): Promise<void> {
  if (await node.isRunning()) await untilQueuesAreOnDisk(node.spec);
  await node.kill();
}

/**
 * A process that waits for the end of this one, or for `release()`, and then cleans up: also after a
 * Ctrl+C or a crash of the test run, which run no `await using`.
 */
export function startReaper(directory: string): { release(): Promise<void> } {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL("./broker_reaper.ts", import.meta.url)), directory],
    stdin: "piped",
    stdout: "null",
    detached: true,
  }).spawn();
  return {
    release: async () => {
      await child.stdin.close();
      const { success } = await child.status;
      if (!success) throw new Error(`The test broker in ${directory} could not be cleaned up`);
    },
  };
}

/** A virtual host that belongs to one test, and goes with all that is in it when disposed. */
export interface TestVhost extends AsyncDisposable {
  readonly name: string;
  /** The broker's, with this virtual host. */
  readonly amqpUrl: string;
}

/** What {@link testVhost} needs of a broker. */
export type VhostBroker = Pick<TestBroker, "amqpUrl" | "managementUrl">;

/** Creates a virtual host with a name of its own, and gives the broker's user every right on it. */
export async function testVhost(broker: VhostBroker): Promise<TestVhost> {
  const client = new ManagementClient(broker.managementUrl);
  const vhost = await createVhost(client, [broker.amqpUrl], "test");
  return {
    name: vhost.name,
    amqpUrl: vhost.amqpUrls[0]!,
    [Symbol.asyncDispose]: () => vhost[Symbol.asyncDispose](),
  };
}

/** Calls the management API of `broker` and returns the JSON that it answers, if any. */
export async function management(
  broker: VhostBroker,
  method: "GET" | "DELETE",
  path: `/api/${string}`,
): Promise<unknown> {
  const client = new ManagementClient(broker.managementUrl);
  const resource = path.slice("/api/".length);
  return method === "GET" ? await client.get(resource, z.unknown()) : await client.delete(resource);
}
