/**
 * What each role may do on the broker, derived from the topology: one user per role, and no user with
 * a right that its role does not use. Nobody may write to the default exchange, which reaches every
 * queue (the broker calls it `amq.default` where it asks for permission).
 *
 * Which operation needs which right: https://www.rabbitmq.com/docs/access-control#authorisation
 */
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  EVENT_EXCHANGES,
  PARKED_QUEUE,
  retryExchange,
  type Subscription,
  SUBSCRIPTIONS,
  WATCH_QUEUE,
} from "./topology.ts";

/** The patterns of a user in a virtual host, as the broker takes them: each covers a whole name. */
export interface Permissions {
  /** What it may declare and delete. */
  readonly configure: string;
  /** Exchanges that it may publish to, and queues that it may bind. */
  readonly write: string;
  /** Queues that it may consume, get from and purge, and exchanges that it may bind to. */
  readonly read: string;
}

/** A role, and what its user on the broker is. */
export interface BrokerRole {
  /** Such as `email`: also the name of its connections. */
  readonly name: string;
  /** What it may ask the management API; nothing without a tag. */
  readonly tags: readonly string[];
  /** What it may do in a virtual host. */
  readonly permissions: Permissions;
}

/** The user of `role` on the broker. */
export function brokerUser(role: string): string {
  return `ecomarket-${role}`;
}

/** What looks at everything and changes nothing: `status` and whatever watches. */
export const MONITOR = "monitor";
/** The live page: see {@link watchRole}. */
export const WATCH = "watch";
/** What sends dead letters back to the subscriber that they failed at. */
export const REPLAY = "dead-letters";
/** The archive of dead letters. */
export const ARCHIVE = "dead-letter";
/** What may publish events: the commands, and the users API. */
export const PUBLISHERS = ["publisher", "users-api"] as const;

/** The roles with a name of their own: no further subscriber may take one. */
export const RESERVED_ROLES: readonly string[] = [...PUBLISHERS, ARCHIVE, REPLAY, MONITOR, WATCH];

/**
 * The roles of the workshop, and those of further subscribers: the queue of each by its name. n.b. what
 * a further subscriber binds to is not known here, so it may bind to every event.
 */
export function brokerRoles(
  furtherQueues: Readonly<Record<string, string>> = {},
): readonly BrokerRole[] {
  const further = Object.entries(furtherQueues)
    .map(([name, queue]) => [name, { queue, exchanges: EVENT_EXCHANGES }] as const);
  return [
    ...PUBLISHERS.map((name) => role(name, { write: EVENT_EXCHANGES.map(exactly) })),
    ...[...Object.entries(SUBSCRIPTIONS), ...further].map(([name, wanted]) =>
      role(name, subscriberRights(wanted))
    ),
    role(ARCHIVE, {
      configure: [sliceOf(DEAD_LETTER_QUEUE)],
      write: [sliceOf(DEAD_LETTER_QUEUE), exactly(DEAD_LETTER_EXCHANGE)],
      read: [sliceOf(DEAD_LETTER_QUEUE), exactly(DEAD_LETTER_EXCHANGE)],
    }),
    // Any subscriber's: a new one needs no new rights of the tool.
    role(REPLAY, { write: [`.+${escaped(retryExchange(""))}`] }),
    // n.b. from 4.3.1 on, only who has some right on a queue may ask over AMQP how deep it is. What
    // `write` on a queue is for is to bind it, and to bind takes `read` on an exchange as well.
    role(MONITOR, { write: MONITORED }, ["monitoring"]),
  ];
}

/**
 * What `deno task watch` is on the broker while it is open: one more subscriber, of a queue that is its
 * own, and nothing else: to look at all the rest it is the monitor. None of {@link brokerRoles}, for nobody is it for longer.
 */
export function watchRole(): BrokerRole {
  const slice = [sliceOf(WATCH_QUEUE)];
  const rights = {
    configure: slice,
    write: slice,
    read: [...slice, ...EVENT_EXCHANGES.map(exactly)],
  };
  return role(WATCH, rights);
}

/** The queues that the topology names, and no exchange. */
const MONITORED = [
  ...Object.values(SUBSCRIPTIONS)
    .map(({ queue }) => `${escaped(queue)}(${escaped(retryExchange(""))}\\.\\d+)?`),
  ...[DEAD_LETTER_QUEUE, PARKED_QUEUE].map(exactly),
];

/** n.b. to bind takes `write` on the queue and `read` on the exchange; so does a dead-letter exchange, the other way round. */
function subscriberRights({ queue, exchanges }: Subscription): Rights {
  return {
    configure: [sliceOf(queue)],
    write: [sliceOf(queue), exactly(DEAD_LETTER_EXCHANGE)],
    read: [sliceOf(queue), ...exchanges.map(exactly)],
  };
}

type Rights = { readonly [right in keyof Permissions]?: readonly string[] };

function role(name: string, rights: Rights, tags: readonly string[] = []): BrokerRole {
  const { configure = [], write = [], read = [] } = rights;
  const permissions = { configure: whole(configure), write: whole(write), read: whole(read) };
  return { name, tags, permissions };
}

/** `queue`, and whatever else begins with its name and a dot. */
function sliceOf(queue: string): string {
  return `${escaped(queue)}(\\..*)?`;
}

function exactly(name: string): string {
  return escaped(name);
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A pattern that covers a name from its beginning to its end. Of no alternatives: that covers none. */
function whole(alternatives: readonly string[]): string {
  const [only = "", ...others] = alternatives;
  return others.length === 0 ? `^${only}$` : `^(${alternatives.join("|")})$`;
}
