/**
 * Every exchange, queue and binding, as data. A name is written here and nowhere else; setup,
 * consumers, tests and checks all read this data.
 */
import type { Channel } from "amqplib";
import { TopologyDriftError } from "../base/errors.ts";
import { EVENTS } from "./catalogue.ts";
import { nativeArguments, type NativeRetry } from "./native_retry.ts";
import {
  dividedQueue,
  type Ordered,
  partitionAdvice,
  partitionQueues,
  partitionSlice,
} from "./partitions.ts";
import type { LinkSpec, Topology } from "./topology_spec.ts";

export type { BindingSpec, ExchangeSpec, LinkSpec, QueueSpec, Topology } from "./topology_spec.ts";

/** Where signups are published: fanout, so that the publisher knows no subscriber. */
export const USER_EVENTS_EXCHANGE = EVENTS.UsuarioCreado.exchange;
/** Where purchases are published. */
export const PURCHASE_EVENTS_EXCHANGE = EVENTS.CompraRealizada.exchange;
/** Where each event is published: an exchange of its own, so that a subscriber binds to what it wants. */
export const EVENT_EXCHANGES: readonly string[] = Object.values(EVENTS)
  .map(({ exchange }) => exchange);
/** By which all queues are joined to the events of `exchange` at once, while they are set up. */
export function setupExchange(exchange: string): string {
  return `${exchange}.setup`;
}

/** Where whatever cannot be handled goes. */
export const DEAD_LETTER_EXCHANGE = "dead_letters";
/** Where dead letters wait to be archived. */
export const DEAD_LETTER_QUEUE = "dead_letter_queue";
/** Where the broker sends a dead letter that the archive never took. */
export const PARKING_EXCHANGE = `${DEAD_LETTER_QUEUE}.parking`;
/** The last place: nobody consumes it, a person looks at it. */
export const PARKED_QUEUE = `${DEAD_LETTER_QUEUE}.parked`;

/**
 * A queue of `deno task watch`, which looks at the events as one more subscriber: it goes with the
 * connection that declared it. Each link has its own, told apart by `id`.
 */
export function watchQueue(id: string): string {
  return `${WATCH_QUEUE}.${id}`;
}
/** What the name of every {@link watchQueue} begins with. */
export const WATCH_QUEUE = "watch_queue";

/** The workshop's subscribers and their queues. A new one needs no change here: see {@link subscriberSlice}. */
export const SUBSCRIBER_QUEUES = {
  email: "email_queue",
  loyalty: "loyalty_queue",
  analytics: "analytics_queue",
} as const;

/** A subscriber that `setup-queues` knows. */
export type SubscriberName = keyof typeof SUBSCRIBER_QUEUES;

/** The queues that a subscriber's consumers take events from. */
export function consumedQueues({ queue, ordered }: Subscription): readonly string[] {
  return ordered ? partitionQueues(queue, ordered) : [queue];
}

/** A queue, and the exchanges of the events that it is to receive. */
export interface Subscription {
  readonly queue: string;
  readonly exchanges: readonly string[];
  /** Retries that the broker delays. @default retry queues, one for each delay */
  readonly retry?: NativeRetry | undefined;
  /** The events of one user in order, in partitions. @default one queue, and no order */
  readonly ordered?: Ordered | undefined;
}

/** What each of the workshop's subscribers wants. n.b. never all there is: a new event is nobody's yet. */
export const SUBSCRIPTIONS: Readonly<Record<SubscriberName, Subscription>> = {
  email: { queue: SUBSCRIBER_QUEUES.email, exchanges: [USER_EVENTS_EXCHANGE] },
  loyalty: {
    queue: SUBSCRIBER_QUEUES.loyalty,
    exchanges: [USER_EVENTS_EXCHANGE, PURCHASE_EVENTS_EXCHANGE],
  },
  analytics: {
    queue: SUBSCRIBER_QUEUES.analytics,
    exchanges: [USER_EVENTS_EXCHANGE, PURCHASE_EVENTS_EXCHANGE],
  },
};

/**
 * How often the broker hands out a message again after its consumer died with it, before it
 * dead-letters it. n.b. N allows N+1 deliveries.
 */
export const DELIVERY_LIMIT = 3;

/**
 * The same for the archive, past which a dead letter is parked. A message that the client cannot
 * decode costs a link each time, and stands before all others: at 21 reconnections it is out of the
 * way in seconds. It is far more than an innocent dead letter meets, which the archive takes one by
 * one after a loss, and sends round again at half of it.
 */
export const ARCHIVE_DELIVERY_LIMIT = 20;

/**
 * For queues that no limit shall empty. n.b. without one, RabbitMQ 4.0 and later have a limit of 20,
 * and drop what passes it: looking at a message in the management UI counts. Before, there is no
 * number that means none.
 */
export const NEVER_DROPPED = { "x-delivery-limit": 1_000_000 } as const;

/** Every queue's. */
export const QUORUM = { "x-queue-type": "quorum" } as const;
/** n.b. at-least-once dead-lettering silently becomes at-most-once without `reject-publish`. */
const AT_LEAST_ONCE = {
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
} as const;

/** The retry exchange of a subscriber's queue. The key of a delay is its milliseconds. */
export function retryExchange(queue: string): string {
  return `${queue}.retry`;
}

/**
 * The queue and the exchange that stand in for `queue` while it is replaced by one with other
 * arguments. They begin with its name, as all of its slice.
 */
export function migratingName(queue: string): string {
  return `${queue}.migrating`;
}

/** The retry queue of a subscriber's queue in which a message waits for `delayMs`. */
export function retryQueue(queue: string, delayMs: number): string {
  return `${retryExchange(queue)}.${delayMs}`;
}

/**
 * The dead letters, and a last resort behind the archive: every name in it begins with the archive's
 * queue's, so that one pattern is the whole of what the archive may touch.
 */
const deadLettering: Topology = {
  exchanges: [
    { name: DEAD_LETTER_EXCHANGE, type: "fanout" },
    { name: PARKING_EXCHANGE, type: "fanout" },
  ],
  queues: [
    {
      name: DEAD_LETTER_QUEUE,
      arguments: {
        ...QUORUM,
        "x-delivery-limit": ARCHIVE_DELIVERY_LIMIT,
        "x-dead-letter-exchange": PARKING_EXCHANGE,
        ...AT_LEAST_ONCE,
      },
    },
    { name: PARKED_QUEUE, arguments: { ...QUORUM, ...NEVER_DROPPED } },
  ],
  bindings: [
    { exchange: PARKING_EXCHANGE, queue: PARKED_QUEUE, routingKey: "" },
    { exchange: DEAD_LETTER_EXCHANGE, queue: DEAD_LETTER_QUEUE, routingKey: "" },
  ],
};

function events(exchanges: readonly string[]): Topology {
  return {
    exchanges: exchanges.map((name) => ({ name, type: "fanout" })),
    queues: [],
    bindings: [],
  };
}

/**
 * What belongs to the subscriber of `queue` alone: its queue, its retry exchange, and one retry
 * queue per delay. One queue per delay, for a quorum queue expires messages at its head only: mixed
 * delays in one queue would wait for the longest. With native retry there is none of them; the
 * exchange is there all the same, by which dead letters are sent back.
 */
function ownSlice(
  { queue, exchanges, retry, ordered }: Subscription,
  delaysMs: readonly number[],
): Topology {
  const exchange = retryExchange(queue);
  const dying = { "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE, ...AT_LEAST_ONCE };
  if (ordered) {
    const joined = { exchanges, retryExchange: exchange, queueArguments: { ...QUORUM, ...dying } };
    return partitionSlice({ queue, ordered, ...joined });
  }
  const delays = retry ? [] : [...new Set(delaysMs)];
  return {
    exchanges: [{ name: exchange, type: "direct" }],
    queues: [
      {
        name: queue,
        arguments: {
          ...QUORUM,
          "x-delivery-limit": DELIVERY_LIMIT,
          ...dying,
          ...(retry ? nativeArguments(retry) : {}),
        },
      },
      ...delays.map((delayMs) => ({
        name: retryQueue(queue, delayMs),
        arguments: {
          ...QUORUM,
          "x-message-ttl": delayMs,
          "x-dead-letter-exchange": exchange,
          "x-dead-letter-routing-key": queue,
          ...AT_LEAST_ONCE,
        },
      })),
    ],
    bindings: [
      { exchange, queue, routingKey: queue },
      ...delays.map((delayMs) => ({
        exchange,
        queue: retryQueue(queue, delayMs),
        routingKey: String(delayMs),
      })),
      ...exchanges.map((exchange) => ({ exchange, queue, routingKey: "" })),
    ],
  };
}

/**
 * What a subscriber declares when it starts: its own slice, and the shared places that the slice is
 * joined to. So a new subscriber needs nobody's change and nobody's permission.
 */
export function subscriberSlice(
  subscription: Subscription,
  delaysMs: readonly number[],
): Topology {
  return merge(deadLettering, events(subscription.exchanges), ownSlice(subscription, delaysMs));
}

/** What the dead-letter consumer declares when it starts. */
export function deadLetterSlice(): Topology {
  return deadLettering;
}

/** The whole of the workshop's topology, for these retry delays. */
export function fullTopology(delaysMs: readonly number[]): Topology {
  const slices = Object.values(SUBSCRIPTIONS).map((wanted) => ownSlice(wanted, delaysMs));
  return merge(deadLettering, events(EVENT_EXCHANGES), ...slices);
}

function merge(...parts: readonly Topology[]): Topology {
  return {
    exchanges: parts.flatMap((part) => part.exchanges),
    queues: parts.flatMap((part) => part.queues),
    bindings: parts.flatMap((part) => part.bindings),
    links: parts.flatMap(({ links = [] }) => links),
  };
}

/**
 * Declares all of `topology`: idempotent, and never deletes or changes what stands. Each queue is
 * declared before anything is bound, so that no message can be routed to half a slice.
 *
 * @throws {TopologyDriftError} when something stands with other arguments. The broker closes the
 *   channel then (AMQP 406).
 */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  for (const { name, type, arguments: args } of topology.exchanges) {
    const options = { durable: true, ...(args ? { arguments: { ...args } } : {}) };
    await explainDrift("exchange", name, channel.assertExchange(name, type, options));
  }
  for (const { name, arguments: args } of topology.queues) {
    const declared = channel.assertQueue(name, { durable: true, arguments: { ...args } });
    await explainDrift("queue", name, declared);
  }
  for (const { queue, exchange, routingKey, arguments: args } of topology.bindings) {
    await (args
      ? channel.bindQueue(queue, exchange, routingKey, { ...args })
      : channel.bindQueue(queue, exchange, routingKey));
  }
  for (const link of topology.links ?? []) await declareLink(channel, link);
}

/** Gives what `from` routes to `to` as well. Idempotent. */
export async function declareLink(
  channel: Channel,
  { from, to, routingKey }: LinkSpec,
): Promise<void> {
  await channel.bindExchange(to, from, routingKey);
}

async function explainDrift(
  kind: "queue" | "exchange",
  name: string,
  declared: Promise<unknown>,
): Promise<void> {
  try {
    await declared;
  } catch (error) {
    const drift = error instanceof Error && (error as { code?: unknown }).code === 406
      ? describeDrift(kind, name, error.message)
      : undefined;
    throw drift ? new TopologyDriftError(drift, { cause: error }) : error;
  }
}

/** What `setup-queues` and consumers say about a 406, out of the broker's own words. */
export function describeDrift(
  kind: "queue" | "exchange",
  name: string,
  brokerText: string,
): string {
  // Such as: inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received the value '7' of
  // type 'signedint' but current is the value '5' of type 'signedint' (or: but current is none).
  const found =
    /inequivalent arg '([^']+)'.*?received (none|(?:the value )?'[^']*').*?but current is (none|(?:the value )?'[^']*')/s
      .exec(brokerText);
  const value = (text: string) => text.replace("the value ", "").replaceAll("'", '"');
  const difference = found
    ? `its ${found[1]} is ${value(found[3]!)}, ${value(found[2]!)} was wanted`
    : brokerText;
  return `The ${kind} "${name}" stands with other arguments: ${difference}. ` +
    `Nothing was changed. ${driftAdvice(kind, name)}`;
}

/** The next step after a drift. Nothing is deleted with messages in it: they are the reader's. */
export function driftAdvice(kind: "queue" | "exchange", name: string): string {
  const divided = dividedQueue(name);
  if (divided !== undefined) return partitionAdvice(divided);
  return kind === "queue"
    ? "Stop its consumers, then run this, which moves its messages into a new one: " +
      "deno task setup-queues --migrate"
    : `Delete the exchange "${name}" in the management UI while nothing publishes, ` +
      "then run: deno task setup-queues";
}
