/**
 * One RabbitMQ node of our own, in a folder of its own: started, stopped, killed, started again with
 * its data. The workshop's broker, the tests' brokers and the nodes of a cluster are all this class.
 */
import { BrokerSetupError, ignoreNotFound, messageOf } from "@ecomarket/shared/base/errors";
import { poll } from "@ecomarket/shared/base/poll";
import { IS_WINDOWS } from "@ecomarket/shared/process/platform";
import { findRabbitmqServer } from "../machine/find_rabbitmq.ts";
import { stopEpmd } from "./epmd.ts";
import { type NewNode, newNodeSpec } from "./new_node.ts";
import type { NodeSpec } from "./node_files.ts";
import { lastWords, writeNodeFiles } from "./node_folder.ts";
import { NodeProcess } from "./node_process.ts";
import { readNodeState, writeNodeState } from "./node_state.ts";
import { managementAnswers, probeBroker } from "./probe_broker.ts";
import { rabbitmqctl } from "./rabbitmqctl.ts";

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
 * process controls the same node.
 */
export class PrivateNode {
  readonly spec: NodeSpec;
  readonly #process: NodeProcess;

  constructor(spec: NodeSpec, pid?: number) {
    this.spec = spec;
    this.#process = new NodeProcess(spec, pid);
  }

  /** The node whose folder `directory` is, running or not; `undefined` when there was never one. */
  static async find(directory: string): Promise<PrivateNode | undefined> {
    const state = await readNodeState(directory);
    return state && new PrivateNode(state.spec, state.pid);
  }

  /** The process id, once started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Credentials included. */
  get amqpUrl(): string {
    const { user, password, ports, tls } = this.spec;
    const address = `${user}:${password}@localhost:${ports.amqp}`;
    if (!tls) return `amqp://${address}`;
    return `amqps://${address}?${new URLSearchParams({ cacertfile: tls.ca })}`;
  }

  /** {@link PrivateNode.amqpUrl} alone: what a cluster has several of. */
  get amqpUrls(): readonly string[] {
    return [this.amqpUrl];
  }

  /** Credentials included. */
  get managementUrl(): string {
    const { user, password, ports } = this.spec;
    return `http://${user}:${password}@localhost:${ports.management}`;
  }

  /**
   * Writes what the node reads and what {@link PrivateNode.find} looks for. Starting does it as well:
   * this is for a node that others must find before it starts.
   */
  async prepare(): Promise<void> {
    await writeNodeFiles(this.spec);
    await writeNodeState({ spec: this.spec });
  }

  /**
   * Starts the node and waits until it answers AMQP with its credentials and the management API.
   * A node that is running already is only waited for, and started where it ends meanwhile.
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
    return await this.#process.isRunning();
  }

  /**
   * Stops the node as its own scripts would, data kept; one that has not ended within `graceMs` is
   * killed. A paused one is resumed first. Nothing happens when it does not run.
   *
   * @param graceMs @default 30_000
   */
  async stop(graceMs = 30_000): Promise<void> {
    await this.resume();
    if (!await this.#process.end("SIGTERM", graceMs)) await this.kill();
    await stopEpmd(this.spec.ports.epmd);
  }

  /** Kills the node as a crash would: nothing is flushed, nobody is told. Data on disk are kept. */
  async kill(): Promise<void> {
    if (!await this.#process.end("SIGKILL", 10_000)) {
      throw new BrokerSetupError(
        `Cannot end the node ${this.spec.name}: process ${this.pid} is still there`,
      );
    }
    await stopEpmd(this.spec.ports.epmd);
  }

  /**
   * Freezes the node (SIGSTOP): its connections stay open and nothing answers, as behind a network
   * that drops every packet. Windows cannot do it.
   *
   * In a cluster, a queue that it led is confirmed again after about 8 s on channels that had used
   * it. New channels, and the management API of every node, may hang until the others give the node
   * up, after a minute (`net_ticktime`). The loss of a follower nobody notices. (Tried on 3.10.8.)
   *
   * @throws {BrokerSetupError} when the node does not run.
   */
  async pause(): Promise<void> {
    if (await this.#process.signal("SIGSTOP")) return;
    throw new BrokerSetupError(`Cannot pause the node ${this.spec.name}: it does not run`);
  }

  /** Lets a paused node go on. Nothing happens when it is not paused. */
  async resume(): Promise<void> {
    if (!IS_WINDOWS) await this.#process.signal("SIGCONT");
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

  /**
   * Runs `rabbitmqctl` on the node, as in `node.ctl("cluster_status")`.
   *
   * @returns what it printed.
   * @throws {BrokerSetupError} when it fails or is not done within a minute: with its last words.
   */
  async ctl(...args: readonly string[]): Promise<string> {
    return await rabbitmqctl(this.spec, args);
  }

  async #spawn(): Promise<void> {
    const script = findRabbitmqServer();
    if (!script) {
      throw new BrokerSetupError("Cannot start a node: rabbitmq-server is not installed");
    }
    // Before the process exists: were we killed now, the next command still knows the ports.
    await this.prepare();
    try {
      await this.#process.spawn(script);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw new BrokerSetupError(`Cannot run ${script}: ${messageOf(error)}`, { cause: error });
    }
    await writeNodeState({ spec: this.spec, pid: this.pid });
  }

  /**
   * The version once the node is ready, `undefined` while it starts. n.b. a node that was killed a
   * moment ago still counts as running, until the port mapper has noticed.
   */
  async #version(): Promise<string | undefined> {
    if (!await this.isRunning()) {
      if (this.#process.isOurs) throw await this.#failure("ended while it started");
      await this.#spawn();
    }
    const probe = await probeBroker(this.amqpUrl);
    if (probe.found !== "broker") return undefined;
    return await managementAnswers(this.managementUrl) ? probe.version : undefined;
  }

  async #failure(what: string): Promise<BrokerSetupError> {
    const words = await lastWords(this.spec.directory);
    return new BrokerSetupError(`The RabbitMQ node ${this.spec.name} ${what}:\n${words}`);
  }
}

/** A private node with the workshop's credentials, not started. */
export async function newPrivateNode(options: NewNode): Promise<PrivateNode> {
  return new PrivateNode(await newNodeSpec(options));
}
