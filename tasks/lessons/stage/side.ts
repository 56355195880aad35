/** One side of a lesson: its own queues, its own consumers, its own data. */
import { join } from "node:path";
import type { Channel, ChannelModel } from "amqplib";
import type { PublishOptions } from "@ecomarket/publisher/levels/publisher";
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { until } from "@ecomarket/shared/base/poll";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { ConfirmedChannel, type Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import { LiveLink } from "@ecomarket/shared/broker/link";
import { messageId } from "@ecomarket/shared/contract/message";
import {
  declareTopology,
  SUBSCRIBER_QUEUES,
  type Topology,
} from "@ecomarket/shared/contract/topology";
import { FAST_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { roleLogger } from "@ecomarket/shared/process/log";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import {
  CONSUMERS,
  type RoleProcessOptions,
  type RoleScript,
  startRole,
} from "@ecomarket/testbed/processes/roles";
import type { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { effectsByEvent } from "@ecomarket/testbed/stores/effects";
import { NaiveProcess, type NaiveScript } from "./naive_process.ts";

/** How long a lesson waits for one thing. */
const WAIT_TIMEOUT_MS = 60_000;

/** Something that a lesson needs to happen did not. */
class LessonError extends EcoMarketError {
  override readonly code = "LESSON_FAILED";
}

/** The queue that every lesson is about. */
export const QUEUE = SUBSCRIBER_QUEUES.email;

/** How the real email consumer runs here: retries come quickly. */
export const REAL_CONSUMER = {
  delaysMs: FAST_RETRY_DELAYS_MS,
  env: { RETRY_DELAYS_MS: FAST_RETRY_DELAYS_MS.join() },
} as const;

/** How a side starts a consumer. */
export type StartOptions = Omit<RoleProcessOptions, "amqpUrls" | "dataDir"> & {
  /** @default the side's own */
  readonly amqpUrl?: string;
};

/** What a side needs of the stage that it is on. */
export interface StageOfSide {
  /** Tells the person who watches. */
  readonly say: (line: string) => void;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** Has `resource` disposed of with the stage. */
  use<T extends AsyncDisposable>(resource: T): T;
}

/**
 * Publishes, starts consumers and counts effects on one side of a lesson, out of sight of the other
 * side.
 */
export class Side {
  constructor(
    readonly stage: StageOfSide,
    readonly amqpUrl: string,
    /** Holds the consumers' folders. */
    readonly dataDir: string,
  ) {}

  async declare(topology: Topology): Promise<void> {
    await this.#onChannel((channel) => declareTopology(channel, topology));
  }

  /** A link to the broker that can be broken. */
  link(): TcpProxy {
    return this.stage.use(TcpProxy.before(this.amqpUrl));
  }

  /** Publishes `events`, and demands that each is confirmed. */
  async publish(
    events: readonly UsuarioCreado[],
    options: (event: UsuarioCreado) => PublishOptions = () => ({}),
  ): Promise<void> {
    const urls = [this.amqpUrl];
    await using publisher = await RobustPublisher.connect({ urls, log: roleLogger("publisher") });
    const outcomes = await Promise.all(events.map((it) => publisher.publish(it, options(it))));
    const failure = outcomes.find(({ status }) => status !== "confirmed");
    if (failure) throw new LessonError(`An event was not confirmed, but ${failure.status}`);
  }

  /** Publishes `messages` as they are, in order, and demands that each is confirmed. */
  async send(messages: readonly Outgoing[]): Promise<void> {
    await this.#onConnection(async (connection) => {
      const channel = await ConfirmedChannel.open(new LiveLink(connection));
      const results = await Promise.all(messages.map((message) => channel.send(message)));
      const failure = results.find(({ kind }) => kind !== "confirmed");
      if (failure) throw new LessonError(`A message was not confirmed, but ${failure.kind}`);
    });
  }

  /** Starts a consumer that does what not to do, with its data in `folder`. */
  startNaive(
    script: NaiveScript,
    options: { pause?: boolean; amqpUrl?: string; folder?: string } = {},
  ): NaiveProcess {
    const { amqpUrl = this.amqpUrl, pause = false, folder = CONSUMERS.email.folder } = options;
    const dataDir = this.dataDirOf(folder);
    return this.stage.use(new NaiveProcess(script, { amqpUrl, dataDir, pause }));
  }

  /** Starts the real email consumer, and waits until it consumes. */
  startEmail(options: StartOptions = {}): Promise<SandboxedProcess> {
    return this.startConsumer(CONSUMERS.email, options);
  }

  /** Starts `script`, and waits until it consumes. */
  async startConsumer(
    script: RoleScript,
    options: StartOptions = {},
  ): Promise<SandboxedProcess> {
    const { amqpUrl = this.amqpUrl, ...rest } = options;
    const { dataDir } = this;
    const consumer = this.stage.use(
      startRole(script, { amqpUrls: [amqpUrl], dataDir, ...rest }),
    );
    await consumer.ready;
    return consumer;
  }

  /** Where the consumer whose folder has this name, real or naive, keeps its data. */
  readonly dataDirOf = (name: string): string => join(this.dataDir, name);

  /** How often each event had its effect. */
  effects(): ReadonlyMap<string, number> {
    return effectsByEvent("email", this.dataDirOf);
  }

  /** Waits until `count` events had their effect. */
  async untilHandled(count: number): Promise<void> {
    await this.until(`${count} events handled`, () => this.effects().size >= count);
  }

  /** Waits until `count` messages are ready in `queue`. */
  async untilWaiting(count: number, queue: string = QUEUE): Promise<void> {
    await this.until(
      `${count} messages in ${queue}`,
      () =>
        this.#onChannel(async (channel) =>
          (await channel.checkQueue(queue)).messageCount === count
        ),
    );
  }

  /** Waits until the queue has `count` consumers. */
  async untilConsumed(count: number): Promise<void> {
    await this.until(
      `${count} consumers of ${QUEUE}`,
      () =>
        this.#onChannel(async (channel) =>
          (await channel.checkQueue(QUEUE)).consumerCount === count
        ),
    );
  }

  /** Takes everything out of `queue`. @returns how often each event was there. */
  async takeAll(queue: string = QUEUE): Promise<ReadonlyMap<string, number>> {
    return await this.#onChannel(async (channel) => {
      const found = new Map<string, number>();
      for (;;) {
        const message = await channel.get(queue, { noAck: true });
        if (!message) return found;
        const id = messageId(message); // Every event of a lesson has its own for it.
        found.set(id, (found.get(id) ?? 0) + 1);
      }
    });
  }

  /** Waits until `isSo`. @throws {LateError} that says what was waited for, when it is late. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    await until(what, isSo, { timeoutMs: WAIT_TIMEOUT_MS, signal: this.stage.signal });
  }

  #onChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    return this.#onConnection(async (connection) => use(await connection.createChannel()));
  }

  async #onConnection<T>(use: (connection: ChannelModel) => Promise<T>): Promise<T> {
    return await withConnection([this.amqpUrl], "lesson", use);
  }
}
