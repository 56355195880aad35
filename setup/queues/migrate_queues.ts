/**
 * Replaces queues that stand with other arguments, without losing what is in them or what comes
 * meanwhile: a stand-in takes the queue's place and its messages, then gives both to the new one.
 */
import type { Channel, ChannelModel } from "amqplib";
import { messageOf, MigrationError } from "@ecomarket/shared/base/errors";
import { brokerVersion } from "@ecomarket/shared/broker/broker_version";
import { connectOnce } from "@ecomarket/shared/broker/connection";
import {
  type ManagementClient,
  readConsumers,
  readQueue,
  type StandingQueue,
  vhostOf,
} from "@ecomarket/shared/broker/management";
import { longestHiddenMs, requireNativeRetry } from "@ecomarket/shared/contract/native_retry";
import { partitionAdvice, withoutPartition } from "@ecomarket/shared/contract/partitions";
import {
  declareTopology,
  migratingName,
  NEVER_DROPPED,
  type QueueSpec,
  QUORUM,
  type Topology,
} from "@ecomarket/shared/contract/topology";
import { declareAtOnce } from "./declare_at_once.ts";
import {
  bindingsOf,
  holdsDeadLetters,
  type MigrationStep,
  planMigration,
  withoutQueues,
} from "./migration_plan.ts";
import { moveMessages } from "./move_messages.ts";
import { argumentDifferences } from "./topology_diff.ts";

/** Where queues are migrated, and who is told of it. */
export interface MigrationOptions {
  readonly urls: readonly string[];
  readonly management: ManagementClient;
  readonly say: (line: string) => void;
}

/** Exclusive, so that one migration runs at a time, and one whose machine died is waited for. */
const LOCK_QUEUE = "setup-queues.migrating";
/** The stand-in's exchange routes by these: to the stand-in itself, and to the queue. */
const ASIDE = "aside";
const BACK = "back";

/**
 * Declares `topology`, and replaces each of its queues that stands with other arguments. Killed
 * anywhere, it goes on from there when it is run again; messages may be doubled then, with the same
 * `event_id`.
 *
 * @throws {MigrationError} when a queue has consumers, before anything is changed; when another
 *   migration runs; or when messages cannot be moved.
 * @throws {BrokerTooOldError} when a queue is to have native retry that the broker does not know.
 */
export async function migrateQueues(topology: Topology, options: MigrationOptions): Promise<void> {
  await using migration = await Migration.begin(topology, options);
  await migration.run();
}

class Migration implements AsyncDisposable {
  readonly #topology: Topology;
  readonly #options: MigrationOptions;
  readonly #connection: ChannelModel;
  readonly #vhost: string;
  readonly #lost = new AbortController();

  private constructor(topology: Topology, options: MigrationOptions, connection: ChannelModel) {
    this.#topology = topology;
    this.#options = options;
    this.#connection = connection;
    this.#vhost = vhostOf(options.urls[0]!);
    connection.on("close", (error?: Error) => {
      const reason = error ? messageOf(error) : "it was closed";
      this.#lost.abort(
        new MigrationError(
          `The connection was lost (${reason}). Nothing is lost of the messages. ` +
            "Run this again: deno task setup-queues --migrate",
        ),
      );
    });
  }

  static async begin(topology: Topology, options: MigrationOptions): Promise<Migration> {
    const connection = await connectOnce(options.urls, "setup-queues");
    const migration = new Migration(topology, options, connection);
    try {
      await migration.#onChannel((channel) =>
        channel.assertQueue(LOCK_QUEUE, { durable: false, exclusive: true })
      );
      return migration;
    } catch (error) {
      await connection.close().catch(() => {}); // Closed already: fine.
      if (codeOf(error) !== 405) throw error;
      throw new MigrationError(
        "Another migration runs, or its machine was lost a moment ago. Wait for its end, then run " +
          "this again: deno task setup-queues --migrate",
        { cause: error },
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close().catch(() => {}); // Closed already: fine.
  }

  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#lost.signal.throwIfAborted(); // Whatever failed, it failed of this.
      throw error;
    }
  }

  async #run(): Promise<void> {
    requireNativeRetry(brokerVersion(this.#connection), this.#topology.queues);
    const steps = new Map<QueueSpec, MigrationStep>();
    for (const queue of this.#topology.queues) steps.set(queue, await this.#stepFor(queue));
    const toReplace = [...steps].filter(([, step]) => step === "replace").map(([{ name }]) => name);
    refusePartitions(toReplace);
    await this.#refuseConsumed(toReplace);
    // n.b. what the new queues refer to has to stand before them.
    await this.#onChannel((channel) =>
      declareAtOnce(channel, withoutQueues(this.#topology, new Set(toReplace)))
    );
    for (const [queue, step] of steps) {
      if (step === "replace") await this.#setAside(queue);
      if (step !== "nothing") await this.#bringBack(queue);
    }
  }

  async #stepFor(queue: QueueSpec): Promise<MigrationStep> {
    const standIn = migratingName(queue.name);
    const isUnderWay = await this.#exists((channel) => channel.checkQueue(standIn)) ||
      await this.#exists((channel) => channel.checkExchange(standIn));
    if (!await this.#exists((channel) => channel.checkQueue(queue.name))) {
      return planMigration({ queue: "missing", isUnderWay });
    }
    const { durable, arguments: found } = await this.#read(queue.name);
    const differences = argumentDifferences(queue.arguments, found);
    const isOtherwise = !durable || differences.length > 0;
    if (isOtherwise) this.#options.say(`${queue.name}: ${differences.join(", ")}`);
    return planMigration({ queue: isOtherwise ? "otherwise" : "as wanted", isUnderWay });
  }

  /** Nothing is changed before all of them are at rest. */
  async #refuseConsumed(names: readonly string[]): Promise<void> {
    const consumed: string[] = [];
    for (const name of names) {
      const { consumerCount } = await this.#onChannel((channel) => channel.checkQueue(name));
      if (consumerCount > 0) consumed.push(name);
    }
    if (consumed.length === 0) return;
    const consumers = await readConsumers(this.#options.management, this.#vhost);
    const shown = consumed.map((name) => {
      const who = consumers.filter(({ queue }) => queue === name)
        .map(({ name, address }) => `"${name ?? address}"`);
      return `"${name}" (${[...new Set(who)].join(", ") || "a consumer that just came"})`;
    });
    throw new MigrationError(
      `Cannot replace queues that are consumed: ${shown.join(", ")}. Nothing was changed. ` +
        "Stop these consumers, then run this again: deno task setup-queues --migrate",
    );
  }

  /** The stand-in takes the queue's place and its messages; then the queue is deleted. */
  async #setAside(queue: QueueSpec): Promise<void> {
    const { name } = queue;
    const standIn = migratingName(name);
    const standing = await this.#read(name);
    const bindings = bindingsOf(queue, this.#topology, standing.bindings);
    await this.#onChannel(async (channel) => {
      await declareStandIn(channel, standIn);
      for (const { exchange, routingKey } of bindings) {
        await channel.bindQueue(standIn, exchange, routingKey);
      }
      for (const { exchange, routingKey } of standing.bindings) {
        await channel.unbindQueue(name, exchange, routingKey);
      }
    });
    const moved = await this.#move(name, standIn, ASIDE, standing);
    await this.#delete(name, standing.arguments["x-queue-type"] === "quorum");
    this.#options.say(`${name}: ${moved} message(s) set aside, the queue was deleted`);
  }

  /** The new queue takes its place, and what was set aside. */
  async #bringBack(queue: QueueSpec): Promise<void> {
    const { name } = queue;
    const standIn = migratingName(name);
    await this.#onChannel((channel) => declareStandIn(channel, standIn));
    const standing = await this.#read(standIn);
    const bindings = bindingsOf(queue, this.#topology, standing.bindings);
    await this.#onChannel(async (channel) => {
      await declareTopology(channel, { exchanges: [], queues: [queue], bindings: [] });
      for (const { exchange, routingKey } of bindings) {
        await channel.bindQueue(name, exchange, routingKey);
      }
      await channel.bindQueue(name, standIn, BACK);
      for (const { exchange, routingKey } of standing.bindings) {
        if (exchange !== standIn) await channel.unbindQueue(standIn, exchange, routingKey);
      }
    });
    const moved = await this.#move(standIn, standIn, BACK, standing, name);
    await this.#delete(standIn, true);
    await this.#onChannel((channel) => channel.deleteExchange(standIn));
    this.#options.say(`${name}: stands as it should, ${moved} message(s) brought back`);
  }

  async #move(
    from: string,
    exchange: string,
    routingKey: string,
    standing: StandingQueue,
    queue: string = from,
  ): Promise<number> {
    const { urls, say } = this.#options;
    const hiddenMs = longestHiddenMs(standing.arguments);
    if (hiddenMs > 0) {
      say(`${from}: its retries may wait for ${hiddenMs / 1000} s: it is given that time to empty`);
    }
    const route = {
      from,
      exchange,
      routingKey,
      areDeadLetters: holdsDeadLetters(queue),
      hasDeadLetterExchange: "x-dead-letter-exchange" in standing.arguments,
      hiddenMs,
    };
    return await moveMessages(route, { urls, signal: this.#lost.signal });
  }

  /**
   * Deletes a queue that has been empty for a while, and has no bindings. n.b. a quorum queue knows
   * neither if-empty nor if-unused (540): its answer tells what was in it all the same.
   */
  async #delete(name: string, isQuorum: boolean): Promise<void> {
    const { consumerCount } = await this.#onChannel((channel) => channel.checkQueue(name));
    if (consumerCount > 0) {
      throw new MigrationError(
        `Somebody has begun to consume "${name}". Stop that consumer, then run this again: ` +
          "deno task setup-queues --migrate",
      );
    }
    const conditions = isQuorum ? {} : { ifEmpty: true, ifUnused: true };
    const { messageCount } = await this.#onChannel((channel) =>
      channel.deleteQueue(name, conditions)
    );
    if (messageCount > 0) {
      throw new MigrationError(
        `${messageCount} message(s) came to "${name}" straight from a publisher while it was deleted, ` +
          "and are lost. Publish them again, then run: deno task setup-queues --migrate",
      );
    }
  }

  async #read(name: string) {
    return await readQueue(this.#options.management, this.#vhost, name);
  }

  async #exists(question: (channel: Channel) => Promise<unknown>): Promise<boolean> {
    try {
      await this.#onChannel(question);
      return true;
    } catch (error) {
      if (codeOf(error) === 404) return false;
      throw error;
    }
  }

  /** n.b. what the broker refuses closes the channel: each piece of work has its own. */
  async #onChannel<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.#connection.createChannel();
    channel.on("error", () => {}); // The call that caused it rejects with it.
    const result = await work(channel);
    await channel.close();
    return result;
  }
}

/** n.b. of a queue with a single active consumer nobody else can take anything: the broker answers 405. */
function refusePartitions(names: readonly string[]): void {
  const partitions = names.filter((name) => withoutPartition(name) !== name);
  if (partitions.length === 0) return;
  throw new MigrationError(
    `Cannot replace partitions, whose messages only their subscriber can take: ${
      partitions.join(", ")
    }. Nothing was changed. ${partitionAdvice(withoutPartition(partitions[0]!))}`,
  );
}

async function declareStandIn(channel: Channel, standIn: string): Promise<void> {
  await channel.assertExchange(standIn, "direct", { durable: true });
  const args = { ...QUORUM, ...NEVER_DROPPED };
  await channel.assertQueue(standIn, { durable: true, arguments: args });
  await channel.bindQueue(standIn, standIn, ASIDE);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
