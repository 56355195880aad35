/** Exchanges, queues and bindings: all there, as they should be, and in force. */
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  fullTopology,
  type QueueSpec,
  retryExchange,
  SUBSCRIPTIONS,
} from "@ecomarket/shared/contract/topology";
import {
  type Difference,
  diffTopology,
  leftovers,
  sharedByConsumers,
  unknownToBroker,
} from "@ecomarket/setup/queues/topology_diff";
import type { Facts, ManagementFacts, QueueFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";

/** Everything stands, argument by argument. */
export function checkTopology({ amqp, management, delaysMs }: Facts): Finding[] {
  if (!management.ok) return [];
  const { topology, consumers } = management.value;
  const wanted = fullTopology(delaysMs);
  const unknown = amqp.ok ? unknownToBroker(wanted, amqp.value.version) : [];
  return [
    ...unknown,
    ...diffTopology(wanted, topology),
    ...leftovers(wanted, topology),
    ...sharedByConsumers(consumers),
  ].map(fromDifference);
}

/** What each kind of difference is called here, and what it costs. */
const DIFFERENCES: Readonly<Record<Difference["kind"], Pick<Finding, "id" | "why">>> = {
  missing: { id: "topology-missing", why: "events that should go there are lost or refused" },
  otherwise: {
    id: "topology-differs",
    why: "consumers that declare it are refused, and its guarantees are others",
  },
  unfinished: { id: "setup-unfinished", why: "messages may wait where nobody consumes them" },
  unknown: { id: "broker-too-old", why: "its subscriber does not start" },
  shared: { id: "queue-shared", why: "each of them misses the events that the other took" },
};

function fromDifference({ kind, what, mend }: Difference): Finding {
  // Whoever has declared other delays than this command was given would get a second set of queues.
  const aside = what.includes(`${retryExchange("")}.`)
    ? ", or give this command the delays that stand: FAST_RETRY, RETRY_DELAYS_MS"
    : "";
  return { ...DIFFERENCES[kind], severity: "broken", finding: what, mend: `${mend}${aside}` };
}

/** Dead letters reach their queue: the exchange is there, and something is bound to it. */
export function checkDeadLetterBinding({ management }: Facts): Finding[] {
  if (!management.ok || isRouted(management.value, DEAD_LETTER_EXCHANGE)) return [];
  return [{
    id: "dead-letters-unbound",
    severity: "broken",
    finding: `No queue is bound to the exchange ${DEAD_LETTER_EXCHANGE}`,
    why:
      `what cannot be handled reaches no ${DEAD_LETTER_QUEUE}: it stays where it is, or is dropped`,
    mend: "deno task setup-queues",
  }];
}

function isRouted({ topology }: ManagementFacts, exchange: string): boolean {
  return topology.exchanges.some(({ name }) => name === exchange) &&
    topology.bindings.some(({ source }) => source === exchange);
}

/**
 * At-least-once dead-lettering is in force for each queue that is to have it. The broker falls back
 * to at-most-once without a word (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering).
 */
export function checkAtLeastOnce({ management, delaysMs }: Facts): Finding[] {
  if (!management.ok) return [];
  const facts = management.value;
  const flagOff = facts.disabledFlags.ok && facts.disabledFlags.value.includes("stream_queue");
  return wantedAtLeastOnce(delaysMs).flatMap(({ name }) => {
    const queue = facts.queues.find((queue) => queue.name === name);
    const stands = facts.topology.queues.find((queue) => queue.name === name);
    if (!queue || !stands) return [];
    const effective = (key: string) => stands.arguments[`x-${key}`] ?? queue.policy[key];
    const reasons = [
      ...(queue.type === "quorum" ? [] : [`it is a ${queue.type} queue`]),
      ...(effective("dead-letter-strategy") === "at-least-once"
        ? []
        : ["its dead-letter-strategy is not at-least-once"]),
      ...(effective("overflow") === "reject-publish" ? [] : ["its overflow is not reject-publish"]),
      ...(effective("dead-letter-exchange") === undefined
        ? ["it has no dead-letter exchange"]
        : []),
      ...(flagOff ? ["the feature flag stream_queue is disabled"] : []),
    ];
    if (reasons.length === 0) return [];
    return [{
      id: "at-least-once-not-in-force",
      severity: "broken" as const,
      finding: `The queue ${name} does not dead-letter at least once: ${reasons.join(", ")}`,
      why: "a message that expires or passes the delivery limit can be lost, without a word",
      mend: flagOff
        ? "rabbitmqctl enable_feature_flag stream_queue"
        : "stop its consumers, then: deno task setup-queues --migrate",
    }];
  });
}

function wantedAtLeastOnce(delaysMs: readonly number[]): QueueSpec[] {
  return fullTopology(delaysMs).queues
    .filter(({ arguments: args }) => args["x-dead-letter-strategy"] === "at-least-once");
}

/** Keys with which a policy takes messages or publishers from our queues; the stricter value wins. */
const HARMFUL: Readonly<Record<string, string>> = {
  "delivery-limit": "events are dead-lettered after fewer crashes than they should be",
  "max-length": "when it is full, publishers are refused for all subscribers",
  "max-length-bytes": "when it is full, publishers are refused for all subscribers",
  "message-ttl": "events that wait too long are dead-lettered",
  "expires": "a queue that nobody uses is deleted, with its messages",
};

/** No policy of the broker works against the arguments. */
export function checkPolicies({ management, delaysMs, vhost }: Facts): Finding[] {
  if (!management.ok) return [];
  const ours = new Set(fullTopology(delaysMs).queues.map(({ name }) => name));
  return management.value.queues.filter(({ name }) => ours.has(name)).flatMap((queue) =>
    Object.keys(queue.policy).filter((key) => key in HARMFUL).map((key) => ({
      id: "policy-overrides",
      severity: "warning" as const,
      finding: `A policy gives the queue ${queue.name} ${key}=${queue.policy[key]}`,
      why: HARMFUL[key]!,
      mend: `find it with rabbitmqctl list_policies -p ${vhost}, then clear_policy`,
    }))
  );
}

/** Retry queues of delays that are not configured: what is in them still comes back. */
export function checkRetryQueues({ management, delaysMs, vhost }: Facts): Finding[] {
  if (!management.ok) return [];
  return Object.values(SUBSCRIPTIONS).flatMap(({ queue, retry }) => {
    const configured = new Set((retry ? [] : delaysMs).map(String));
    const prefix = `${retryExchange(queue)}.`;
    return management.value.topology.queues
      .filter(({ name }) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
      .filter(({ name }) => !configured.has(name.slice(prefix.length)))
      .map(({ name }) => ({
        id: "retry-queue-unconfigured",
        severity: "warning" as const,
        finding: `The retry queue ${name} is of a delay that is not configured`,
        why: "consumers that were started with other delays than these use it, or nobody does",
        mend: `set the FAST_RETRY or RETRY_DELAYS_MS of your consumers; else, once it is empty: ` +
          `rabbitmqctl delete_queue -p ${vhost} ${name}`,
      }));
  });
}

/** As many members as a cluster should have for a queue. */
const MEMBERS = 3;

/** Each quorum queue is on as many nodes as it should be, and they take part. */
export function checkMembers({ management }: Facts): Finding[] {
  if (!management.ok) return [];
  const wanted = Math.min(MEMBERS, management.value.nodes.length);
  return management.value.queues.filter(({ type }) => type === "quorum")
    .flatMap((queue) => checkQueueMembers(queue, wanted));
}

function checkQueueMembers({ name, members, online }: QueueFacts, wanted: number): Finding[] {
  if (members.length < wanted) {
    return [{
      id: "queue-few-members",
      severity: "warning",
      finding: `The queue ${name} is on ${members.length} of ${wanted} nodes`,
      why: "it stops, or is lost, with fewer nodes than the cluster can lose",
      mend: 'rabbitmq-queues grow NODE all --queue-pattern "^' + name + '$"',
    }];
  }
  if (online.length === members.length) return [];
  const hasMajority = online.length > members.length / 2;
  return [{
    id: hasMajority ? "queue-members-offline" : "queue-no-majority",
    severity: hasMajority ? "warning" : "broken",
    finding: `Of the ${members.length} members of the queue ${name}, ${online.length} take part`,
    why: hasMajority ? "one more loss may stop it" : "it takes and gives no message",
    mend: "start the nodes that are down: deno task broker start",
  }];
}
