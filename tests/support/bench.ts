/**
 * A place to test a publisher or a subscriber in: a virtual host of its own with the topology in it,
 * a folder of its own, and a channel to look at the queues with.
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Channel, ChannelModel, GetMessage, Options } from "amqplib";
import type { Pace } from "@ecomarket/shared/base/backoff";
import { connectOnce } from "@ecomarket/shared/broker/connection";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { type QueueStatus, queueStatus } from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import {
  declareTopology,
  fullTopology,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { type Logger, roleLogger } from "@ecomarket/shared/process/log";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Store } from "@ecomarket/shared/store/store";
import {
  type Consumer,
  eventConsumer,
  type EventConsumerDefinition,
} from "@ecomarket/shared/subscriber";
import { createRoleUsers, type RoleUsers } from "@ecomarket/testbed/broker/role_users";
import { testVhost, type VhostBroker } from "@ecomarket/testbed/broker/test_broker";
import { withSimulatedFailures } from "../../shared/subscriber/simulated_failures.ts";
import { runSubscriber } from "../../shared/subscriber/subscriber.ts";

/** Retry delays that a test can wait for. */
export const TEST_DELAYS_MS: readonly number[] = [50, 100, 150];

/** What is away is asked for more often than a test would wait. */
const TEST_PROBE_PACE: Pace = { firstMs: 50, maxMs: 200 };

/** A virtual host and a folder that one test has for itself. Disposing of it deletes both. */
export class Bench implements AsyncDisposable {
  readonly log: Logger = roleLogger("test");
  readonly #management: ManagementClient;
  #users: Promise<RoleUsers> | undefined;

  private constructor(
    readonly amqpUrl: string,
    readonly directory: string,
    readonly connection: ChannelModel,
    readonly channel: Channel,
    readonly cleanup: AsyncDisposableStack,
    management: ManagementClient,
  ) {
    this.#management = management;
  }

  /** A bench on `broker`. The topology is declared, with {@link TEST_DELAYS_MS}. */
  static async open(broker: VhostBroker): Promise<Bench> {
    await using cleanup = new AsyncDisposableStack();
    const directory = await Deno.makeTempDir({ prefix: "ecomarket_test_" });
    cleanup.defer(() => Deno.remove(directory, { recursive: true }));
    const { amqpUrl } = cleanup.use(await testVhost(broker));
    const connection = await connectOnce([amqpUrl], "bench");
    cleanup.defer(() => connection.close().catch(() => {}));
    const channel = await connection.createChannel();
    await declareTopology(channel, fullTopology(TEST_DELAYS_MS));
    const management = new ManagementClient(broker.managementUrl);
    return new Bench(amqpUrl, directory, connection, channel, cleanup.move(), management);
  }

  /**
   * The URL at which `role` connects as its own user. The users are made when one is
   * asked for, and go with the broker.
   */
  async urlOf(role: string): Promise<string> {
    this.#users ??= createRoleUsers(this.#management, [this.amqpUrl]);
    return (await this.#users).urlsOf(role)[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup.disposeAsync();
  }

  /** Publishes a raw message to the events exchange, as a script in another language would. */
  publishRaw(
    body: unknown,
    options: Options.Publish = {},
    exchange: string = USER_EVENTS_EXCHANGE,
  ): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    this.channel.publish(exchange, "", Buffer.from(text), options);
  }

  /** Messages that wait in `queue`. */
  async depth(queue: string): Promise<number> {
    return (await this.status(queue)).ready;
  }

  /** How much waits in `queue` and who consumes it. Fails when the queue does not exist. */
  async status(queue: string): Promise<NonNullable<QueueStatus>> {
    // A connection of its own: the bench's does not outlive its broker.
    const look = (connection: ChannelModel) => queueStatus(connection, [queue]);
    const status = (await withConnection([this.amqpUrl], "test", look))[queue];
    assert.ok(status, `${queue} does not exist`);
    return status;
  }

  /** Takes everything out of `queue`. */
  async drain(queue: string): Promise<GetMessage[]> {
    const messages: GetMessage[] = [];
    for (;;) {
      const message = await this.channel.get(queue, { noAck: true });
      if (!message) return messages;
      messages.push(message);
    }
  }

  /** Takes everything out of `queue`. @returns the ids of the messages. */
  async drainIds(queue: string): Promise<string[]> {
    return (await this.drain(queue)).map(({ properties }) => String(properties.messageId));
  }

  /** Fails where one of `queues` holds a message. */
  async assertEmpty(...queues: readonly string[]): Promise<void> {
    for (const queue of queues) assert.equal(await this.depth(queue), 0, queue);
  }

  /** The one message that waits in `queue`. */
  async only(queue: string): Promise<GetMessage> {
    const [message, ...others] = await this.drain(queue);
    assert.ok(message, `${queue} is empty`);
    assert.equal(others.length, 0, `${queue} holds more than one message`);
    return message;
  }

  /** Opens the store of `consumer` in this bench's folder. */
  openStore<T>(consumer: Consumer<T>): SqliteStore {
    const { queue } = consumer.spec(TEST_DELAYS_MS);
    const owner = { subscriber: consumer.name, queue };
    return SqliteStore.open(join(this.directory, consumer.name), owner, consumer.migrations);
  }

  /** Runs `consumer` in this process until the returned handle is disposed of. */
  run<T>(consumer: Consumer<T>, options: RunOptions = {}): RunningConsumer {
    const controller = new AbortController();
    const store = options.store ?? this.openStore(consumer);
    const spec = consumer.spec(TEST_DELAYS_MS);
    const subscriberOptions = {
      urls: [options.amqpUrl ?? this.amqpUrl],
      store,
      log: options.log ?? this.log,
      prefetch: options.prefetch ?? 20,
      probePace: TEST_PROBE_PACE,
      signal: controller.signal,
      ...(options.shutdownTimeoutMs ? { shutdownTimeoutMs: options.shutdownTimeoutMs } : {}),
      ...(options.storePatienceMs ? { storePatienceMs: options.storePatienceMs } : {}),
    };
    const done = options.simulateFailures
      ? runSubscriber(withSimulatedFailures(spec), subscriberOptions)
      : runSubscriber(spec, subscriberOptions);
    done.catch(() => {}); // Whoever awaits it hears of it.
    let stopping: Promise<void> | undefined;
    const end = async () => {
      controller.abort();
      await done.finally(() => options.store ? undefined : store.close());
    };
    const stop = () => stopping ??= end();
    return { store, done, stop, [Symbol.asyncDispose]: stop };
  }
}

/** How {@link Bench.run} runs a consumer. */
export interface RunOptions {
  /** @default 20 */
  readonly prefetch?: number;
  /** @default false */
  readonly simulateFailures?: boolean;
  /** @default a new one in the bench's folder, closed at the end */
  readonly store?: Store;
  readonly amqpUrl?: string;
  /** @default the bench's */
  readonly log?: Logger;
  readonly shutdownTimeoutMs?: number;
  readonly storePatienceMs?: number;
}

/** A consumer that runs in the test's own process. */
export interface RunningConsumer extends AsyncDisposable {
  readonly store: Store;
  /** Rejects when the consumer gives up. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** What a {@link recordingConsumer} keeps in memory. */
export interface RecordingConsumer extends Consumer<unknown> {
  /** The users whose event it handled. */
  readonly handled: readonly string[];
  /** The attempt of each delivery that came to its handler, failed or not. */
  readonly attempts: readonly number[];
}

/** A consumer of `email_queue` that keeps what it handled in memory and in a table. */
export function recordingConsumer(
  handle: (user: string, attempt: number, signal: AbortSignal) => Promise<void> | void = () => {},
  overrides: Partial<EventConsumerDefinition> = {},
): RecordingConsumer {
  const handled: string[] = [];
  const attempts: number[] = [];
  const consumer = eventConsumer({
    name: "email",
    queue: "email_queue",
    migrations: ["CREATE TABLE handled (event_id TEXT NOT NULL, user_id TEXT NOT NULL)"],
    on: {
      async UsuarioCreado({ event_id, user_id }, { attempt, signal }) {
        attempts.push(attempt);
        await handle(user_id, attempt, signal);
        handled.push(user_id);
        return [{ sql: "INSERT INTO handled VALUES (?, ?)", params: [event_id, user_id] }];
      },
    },
    ...overrides,
  });
  return { ...consumer, handled, attempts } as RecordingConsumer;
}
