/**
 * One RabbitMQ node of our own, in a folder of its own: started, stopped, killed, started again with
 * its data. The workshop's broker, the tests' brokers and the nodes of a cluster are all this class.
 */
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { DEV_PASSWORD, DEV_USER } from "@ecomarket/shared/config";
import { BrokerSetupError, messageOf } from "@ecomarket/shared/errors";
import { isProcessAlive } from "@ecomarket/shared/platform";
import { registeredNodes, stopEpmd } from "./epmd.ts";
import { findRabbitmqServer } from "./find_rabbitmq.ts";
import { freePorts, hasIpv6Loopback } from "./free_ports.ts";
import type { NodePorts, NodeSpec } from "./node_files.ts";
import { ignoreNotFound, lastWords, spawnNode, writeNodeFiles } from "./node_process.ts";
import { readNodeState, writeNodeState } from "./node_state.ts";
import { poll } from "./poll.ts";
import { managementAnswers, probeBroker } from "./probe_broker.ts";

/** How long a node may take to start. */
export interface StartOptions {
  /** @default 120_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A private node. Creating one starts nothing.
 *
 * Its spec and its process id are kept in its folder, so that {@link PrivateNode.find} in another
 * process controls the same node. A process is only ever signalled while the node's own port mapper
 * says that the node lives: a process id that went to another program is never killed.
 */
export class PrivateNode {
  readonly spec: NodeSpec;
  #pid: number | undefined;
  /** Set while the node that this object started may still run. */
  #child: ChildProcess | undefined;

  constructor(spec: NodeSpec, pid?: number) {
    this.spec = spec;
    this.#pid = pid;
  }

  /** The node whose folder `directory` is, running or not; `undefined` when there was never one. */
  static async find(directory: string): Promise<PrivateNode | undefined> {
    const state = await readNodeState(directory);
    return state && new PrivateNode(state.spec, state.pid);
  }

  /** The process id, once started. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Credentials included. */
  get amqpUrl(): string {
    const { user, password, ports } = this.spec;
    return `amqp://${user}:${password}@localhost:${ports.amqp}`;
  }

  /** Credentials included. */
  get managementUrl(): string {
    const { user, password, ports } = this.spec;
    return `http://${user}:${password}@localhost:${ports.management}`;
  }

  /**
   * Starts the node and waits until it answers AMQP with its credentials and the management API.
   * A node that is running already is only waited for.
   *
   * @returns the RabbitMQ version.
   * @throws {BrokerSetupError} when RabbitMQ is not installed, or the node dies or does not answer
   * within `timeoutMs`: with its last words. It is not left running.
   */
  async start({ timeoutMs = 120_000, signal }: StartOptions = {}): Promise<string> {
    if (!await this.isRunning()) await this.#spawn();
    try {
      const version = await poll(() => this.#version(), { timeoutMs, intervalMs: 100, signal });
      if (version !== undefined) return version;
      throw await this.#failure(`did not answer within ${timeoutMs / 1_000} s`);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Whether the node's process lives, answering or not. */
  async isRunning(): Promise<boolean> {
    if (this.#child) return this.#child.exitCode === null && this.#child.signalCode === null;
    const nodes = await registeredNodes(this.spec.ports.epmd);
    return nodes.get(this.spec.name.split("@")[0]!) === this.spec.ports.dist;
  }

  /**
   * Stops the node as its own scripts would, data kept; one that has not ended within `graceMs` is
   * killed. Nothing happens when it does not run.
   *
   * @param graceMs @default 30_000
   */
  async stop(graceMs = 30_000): Promise<void> {
    if (!await this.#end("SIGTERM", graceMs)) await this.kill();
    await stopEpmd(this.spec.ports.epmd);
  }

  /** Kills the node as a crash would: nothing is flushed, nobody is told. Data on disk are kept. */
  async kill(): Promise<void> {
    if (!await this.#end("SIGKILL", 10_000)) {
      throw new BrokerSetupError(
        `Cannot end the node ${this.spec.name}: process ${this.#pid} is still there`,
      );
    }
    await stopEpmd(this.spec.ports.epmd);
  }

  /** Stops the node and starts it again: same ports, same data. */
  async restart(options: StartOptions = {}): Promise<void> {
    await this.stop();
    await this.start(options);
  }

  /** Stops the node and deletes its folder. */
  async reset(): Promise<void> {
    await this.stop();
    await Deno.remove(this.spec.directory, { recursive: true }).catch(ignoreNotFound);
  }

  async #spawn(): Promise<void> {
    const script = findRabbitmqServer();
    if (!script) {
      throw new BrokerSetupError("Cannot start a node: rabbitmq-server is not installed");
    }
    await writeNodeFiles(this.spec);
    // Before the process exists: were we killed now, the next command still knows the ports.
    await writeNodeState({ spec: this.spec });
    try {
      this.#child = await spawnNode(script, this.spec);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw new BrokerSetupError(`Cannot run ${script}: ${messageOf(error)}`, { cause: error });
    }
    this.#pid = this.#child.pid;
    await writeNodeState({ spec: this.spec, pid: this.#pid });
  }

  /** The version once the node is ready, `undefined` while it starts. */
  async #version(): Promise<string | undefined> {
    if (this.#child && !await this.isRunning()) throw await this.#failure("ended while it started");
    const probe = await probeBroker(this.amqpUrl);
    if (probe.found !== "broker") return undefined;
    return await managementAnswers(this.managementUrl) ? probe.version : undefined;
  }

  async #failure(what: string): Promise<BrokerSetupError> {
    const words = await lastWords(this.spec.directory);
    return new BrokerSetupError(`The RabbitMQ node ${this.spec.name} ${what}:\n${words}`);
  }

  /** Signals the node and waits for its end. @returns whether it ended within `timeoutMs`. */
  async #end(signal: "SIGTERM" | "SIGKILL", timeoutMs: number): Promise<boolean> {
    const wasRunning = await this.isRunning();
    if (wasRunning) {
      if (this.#pid === undefined) return false;
      signalProcess(this.#pid, signal);
    }
    const ended = async () => await this.isRunning() ? undefined : true;
    if (!await poll(ended, { timeoutMs })) return false;
    if (wasRunning && !this.#child) await this.#waitForExit();
    this.#child = undefined;
    return true;
  }

  /**
   * A node that stops leaves the port mapper shortly before its process ends. n.b. the wait is short
   * because a process whose parent does not collect it (as in a container without an init) stays.
   */
  async #waitForExit(): Promise<void> {
    const gone = () => this.#pid !== undefined && isProcessAlive(this.#pid) ? undefined : true;
    await poll(gone, { timeoutMs: 3_000 });
  }
}

function signalProcess(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // ESRCH: it ended by itself in the meantime.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** What to make a node of; what is left out is chosen. */
export interface NewNode {
  readonly directory: string;
  /** @default "ecomarket_dev@localhost" */
  readonly name?: string;
  /** @default free ports */
  readonly ports?: Partial<NodePorts>;
  /** @default a random one */
  readonly cookie?: string;
}

/** A private node with the workshop's credentials, not started. */
export async function newPrivateNode(
  { directory, name = "ecomarket_dev@localhost", ports = {}, cookie }: NewNode,
): Promise<PrivateNode> {
  const [amqp, management, dist, epmd] = await freePorts(4);
  return new PrivateNode({
    directory,
    name,
    ports: { amqp: amqp!, management: management!, dist: dist!, epmd: epmd!, ...ports },
    cookie: cookie ?? crypto.randomUUID(),
    user: DEV_USER,
    password: DEV_PASSWORD,
    ipv6: hasIpv6Loopback(),
  });
}
