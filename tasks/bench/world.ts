/** What a run is made in: a broker of its own, a virtual host for each part, folders for the stores. */
import { join } from "node:path";
import type { ChannelModel, ConfirmChannel } from "amqplib";
import { poll } from "@ecomarket/shared/base/poll";
import { closeInOrder, connectOnce } from "@ecomarket/shared/broker/connection";
import { declareTopology, type Topology } from "@ecomarket/shared/contract/topology";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { type TestBroker, testVhost } from "@ecomarket/testbed/broker/test_broker";
import type { Plan } from "./plan.ts";
import { openRobust } from "./publishers/robust.ts";
import { sendAll } from "./publishers/sender.ts";

/** How many events are under way at once while a queue is filled. */
const FILL_WINDOW = 1024;

/** What a world is made of. */
export interface WorldOptions {
  readonly broker: TestBroker;
  /** Its own, for every store. */
  readonly directory: string;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  /** Is told what is being done. */
  readonly say: (line: string) => void;
}

/** Where the measurements are made. */
export class World {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly broker: TestBroker;
  readonly #directory: string;
  #folders = 0;

  constructor({ broker, directory, plan, signal, say }: WorldOptions) {
    this.broker = broker;
    this.#directory = directory;
    this.plan = plan;
    this.signal = signal;
    this.say = say;
  }

  /** An empty folder of the world's. */
  async newFolder(name: string): Promise<string> {
    this.signal.throwIfAborted();
    const folder = join(this.#directory, `${name}_${++this.#folders}`);
    await Deno.mkdir(folder);
    return folder;
  }

  /** A virtual host in which `topology` stands, and nothing else. It goes when it is disposed of. */
  async newPlace(topology: Topology): Promise<Place> {
    this.signal.throwIfAborted();
    return await Place.open(this.broker, topology);
  }
}

/** A virtual host with its queues. */
export class Place implements AsyncDisposable {
  readonly amqpUrl: string;
  readonly #queues: readonly string[];
  readonly #cleanup: AsyncDisposableStack;
  readonly #channel: ConfirmChannel;

  private constructor(
    amqpUrl: string,
    topology: Topology,
    channel: ConfirmChannel,
    cleanup: AsyncDisposableStack,
  ) {
    this.amqpUrl = amqpUrl;
    this.#queues = topology.queues.map(({ name }) => name);
    this.#channel = channel;
    this.#cleanup = cleanup;
  }

  /** Makes the virtual host, and declares `topology` there. */
  static async open(broker: TestBroker, topology: Topology): Promise<Place> {
    await using cleanup = new AsyncDisposableStack();
    const { amqpUrl } = cleanup.use(await testVhost(broker));
    const connection: ChannelModel = await connectOnce([amqpUrl], "bench");
    const channel = await connection.createConfirmChannel();
    cleanup.defer(() => closeInOrder(channel, connection));
    await declareTopology(channel, topology);
    return new Place(amqpUrl, topology, channel, cleanup.move());
  }

  /** Throws away what is in its queues. */
  async empty(): Promise<void> {
    for (const queue of this.#queues) await this.#channel.purgeQueue(queue);
  }

  /** Publishes `events`, confirmed. */
  async fill(events: Iterable<UsuarioCreado, undefined>): Promise<void> {
    await using sender = await openRobust({ amqpUrl: this.amqpUrl, window: FILL_WINDOW });
    const source = events[Symbol.iterator]();
    await sendAll(sender, () => source.next().value, FILL_WINDOW);
  }

  /** How many messages wait in `queue` and are handed out to nobody. */
  async waitingIn(queue: string): Promise<number> {
    return (await this.#channel.checkQueue(queue)).messageCount;
  }

  /** Resolves once `isDone` holds. @throws {LateError} after ten minutes. */
  async until(
    isDone: () => boolean | Promise<boolean>,
    signal: AbortSignal,
    intervalMs = 20,
  ): Promise<void> {
    await poll(isDone, { timeoutMs: 600_000, intervalMs, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
