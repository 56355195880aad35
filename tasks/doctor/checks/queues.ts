/** What waits, who consumes it, and for how long it has waited. */
import {
  consumedQueues,
  DEAD_LETTER_QUEUE,
  PARKED_QUEUE,
  retryExchange,
  SUBSCRIBER_QUEUES,
  SUBSCRIPTIONS,
} from "@ecomarket/shared/contract/topology";
import type { Facts } from "../facts.ts";
import type { Finding } from "../finding.ts";

/** From how many messages on a backlog is worth a warning: that of the outbox, see `OUTBOX_MAX_EVENTS`. */
const MAX_READY = 10_000;
/** From which age of its first message on a queue is worth a warning: longer than all retries. */
const MAX_AGE_MS = 10 * 60_000;

/** Each queue's consumer, and the task that starts it. */
const CONSUMERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(SUBSCRIPTIONS).flatMap(([name, wanted]) =>
      consumedQueues(wanted).map((queue) => [queue, `deno task consumer:${name}`])
    ),
  ),
  [DEAD_LETTER_QUEUE]: "deno task consumer:dead-letter",
};

/** Messages wait in no queue that nobody consumes. n.b. an empty one without a consumer is no fault. */
export function checkConsumers({ amqp }: Facts): Finding[] {
  if (!amqp.ok) return [];
  return Object.entries(CONSUMERS).flatMap(([queue, start]) => {
    const status = amqp.value.queues[queue];
    if (!status || status.consumers > 0 || status.ready === 0) return [];
    return [{
      id: "queue-unconsumed",
      severity: "warning" as const,
      finding: `${status.ready} message(s) wait in ${queue}, and nobody consumes it`,
      why: "they are kept, and have no effect until it is consumed",
      mend: start,
    }];
  });
}

/** No queue grows faster than it is consumed, or holds a message that nothing moves. */
export function checkBacklog({ amqp, management, now }: Facts): Finding[] {
  if (!amqp.ok) return [];
  return Object.entries(CONSUMERS).flatMap(([queue, start]): Finding[] => {
    const { ready = 0, consumers = 0 } = amqp.value.queues[queue] ?? {};
    if (ready === 0) return [];
    const head = management.ok
      ? management.value.queues.find(({ name }) => name === queue)?.headTimestamp
      : undefined;
    // n.b. quorum queues of 3.10 do not tell it, and taking a message to look at would count against
    // its delivery limit.
    const ageMs = head === undefined ? undefined : now.getTime() - head * 1_000;
    const age = ageMs === undefined
      ? "the broker does not tell the age of the first"
      : `the first for ${Math.round(ageMs / 1_000)} s`;
    if (ready <= MAX_READY && (ageMs === undefined || ageMs <= MAX_AGE_MS)) {
      if (consumers === 0) return []; // Said already.
      return [{
        id: "queue-waiting",
        severity: "note",
        finding: `${ready} message(s) wait in ${queue}; ${age}`,
        why: "a queue may be busy for a while",
        mend: "watch it with: deno task status",
      }];
    }
    return [{
      id: "queue-backlog",
      severity: "warning",
      finding: `${ready} message(s) wait in ${queue}; ${age}`,
      why: "its subscriber is late, and the broker's disk fills",
      mend: `see what its consumer logs, or start another one: ${start}`,
    }];
  });
}

/** Nothing is parked. */
export function checkParked({ amqp }: Facts): Finding[] {
  const ready = amqp.ok ? amqp.value.queues[PARKED_QUEUE]?.ready ?? 0 : 0;
  if (ready === 0) return [];
  return [{
    id: "dead-letters-parked",
    severity: "warning",
    finding: `${ready} dead letter(s) wait in ${PARKED_QUEUE}`,
    why: "the archive could not take them, and nobody consumes that queue",
    mend: "look at them in the management UI, then: rabbitmqctl purge_queue " + PARKED_QUEUE,
  }];
}

/** Retry queues are never consumed: whoever does takes failures away from their subscriber. */
export function checkRetryConsumers({ amqp }: Facts): Finding[] {
  if (!amqp.ok) return [];
  const prefixes = Object.values(SUBSCRIBER_QUEUES).map((queue) => `${retryExchange(queue)}.`);
  return Object.entries(amqp.value.queues)
    .filter(([name, status]) =>
      (status?.consumers ?? 0) > 0 && prefixes.some((it) => name.startsWith(it))
    )
    .map(([name]) => ({
      id: "retry-queue-consumed",
      severity: "broken" as const,
      finding: `Somebody consumes the retry queue ${name}`,
      why: "what failed never comes back to its subscriber",
      mend: "end that consumer: the management UI names its connection",
    }));
}
