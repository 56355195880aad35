/**
 * The queues of a subscriber that needs the events of one user in order: partitions, each with one
 * active consumer at a time, and a headers exchange that brings a user's events always into the same
 * one. See docs/decisions/0013.
 */
import { ConfigError } from "../base/errors.ts";
import type { QueueSpec, Topology } from "./topology_spec.ts";
import { USER_BUCKET, USER_BUCKETS } from "./user_bucket.ts";

/** Order per user, as a subscriber asks for it. */
export interface Ordered {
  /** Queues, from 1 to 64: as many events are handled at once, over all instances together. */
  readonly partitions: number;
}

/**
 * How often the broker gives an event back whose consumer died or gave its link up, before it is
 * dead-lettered. More than elsewhere: what waits keeps its place by being given back.
 */
export const ORDERED_DELIVERY_LIMIT = 20;

/** @throws {ConfigError} when `partitions` cannot be had. */
export function checkedOrdered(ordered: Ordered): Ordered {
  const { partitions } = ordered;
  if (Number.isSafeInteger(partitions) && partitions >= 1 && partitions <= USER_BUCKETS) {
    return ordered;
  }
  throw new ConfigError(`ordered: partitions must be from 1 to ${USER_BUCKETS}, got ${partitions}`);
}

/**
 * What the delays of all retries may be together. n.b. an event is retried in its consumer's hands, and
 * the broker waits 30 minutes for an ack (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout).
 */
const MAX_RETRYING_MS = 20 * 60_000;

/** @throws {ConfigError} when the broker would not wait for an ack through these retries. */
export function checkedOrderedDelays(delaysMs: readonly number[]): readonly number[] {
  const sumMs = delaysMs.reduce((sum, delayMs) => sum + delayMs, 0);
  if (sumMs <= MAX_RETRYING_MS) return delaysMs;
  throw new ConfigError(
    `RETRY_DELAYS_MS of an ordered subscriber must be at most ${MAX_RETRYING_MS} together, got ${sumMs}`,
  );
}

/** The exchange that divides a subscriber's events among its partitions. */
export function partitionExchange(queue: string): string {
  return `${queue}.partitions`;
}

/**
 * Where events go that name no bucket: to the first partition. n.b. the number is in its name, so that
 * the broker refuses another one: of an exchange's arguments it compares the alternate exchange alone.
 */
function unkeyedExchange(queue: string, { partitions }: Ordered): string {
  return `${partitionExchange(queue)}.${partitions}`;
}

const PARTITION = ".partition.";

/** The names of the partitions. */
export function partitionQueues(queue: string, { partitions }: Ordered): string[] {
  return Array.from({ length: partitions }, (_, index) => `${queue}${PARTITION}${index}`);
}

/** The subscriber's queue that `name` is a partition of, or `name`. */
export function withoutPartition(name: string): string {
  return name.replace(/\.partition\.\d+$/, "");
}

/** What to do where partitions stand otherwise than they are wanted. */
export function partitionAdvice(queue: string): string {
  return `Stop what publishes, let its subscriber empty the partitions as they are, stop it, and run: ` +
    `deno task setup-queues --drop-partitions ${queue}`;
}

/** Whether an exchange or a queue of this name is one of a divided slice. @returns the queue's name. */
export function dividedQueue(name: string): string | undefined {
  return /^(.+)\.partitions?(?:\.\d+)?$/.exec(name)?.[1];
}

/** What a partitioned slice is joined to, and what its queues have in common. */
export interface PartitionSliceOptions {
  readonly queue: string;
  readonly ordered: Ordered;
  /** The exchanges of the events that it wants. */
  readonly exchanges: readonly string[];
  /** By which dead letters are sent back, with the queue's name as their key. */
  readonly retryExchange: string;
  /** Besides those that make it a partition. */
  readonly queueArguments: QueueSpec["arguments"];
}

/** The slice of an ordered subscriber. No queue in it has the subscriber's own name. */
export function partitionSlice(options: PartitionSliceOptions): Topology {
  const { queue, ordered, exchanges, retryExchange, queueArguments } = options;
  const names = partitionQueues(queue, ordered);
  const dividing = partitionExchange(queue);
  const unkeyed = unkeyedExchange(queue, ordered);
  const buckets = Array.from({ length: USER_BUCKETS }, (_, bucket) => bucket);
  return {
    exchanges: [
      { name: retryExchange, type: "direct" },
      { name: unkeyed, type: "fanout" },
      { name: dividing, type: "headers", arguments: { "alternate-exchange": unkeyed } },
    ],
    queues: names.map((name) => ({
      name,
      arguments: {
        ...queueArguments,
        "x-delivery-limit": ORDERED_DELIVERY_LIMIT,
        "x-single-active-consumer": true,
      },
    })),
    bindings: [
      { exchange: unkeyed, queue: names[0]!, routingKey: "" },
      ...buckets.map((bucket) => ({
        exchange: dividing,
        queue: names[bucket % names.length]!,
        routingKey: "",
        arguments: { "x-match": "all", [USER_BUCKET]: String(bucket) },
      })),
    ],
    links: [
      { from: retryExchange, to: dividing, routingKey: queue },
      ...exchanges.map((from) => ({ from, to: dividing, routingKey: "" })),
    ],
  };
}
