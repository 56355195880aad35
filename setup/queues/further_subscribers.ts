/** Subscribers that the topology does not name, as they are named on the command line. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { RESERVED_ROLES } from "@ecomarket/shared/contract/permissions";
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  EVENT_EXCHANGES,
  SUBSCRIBER_QUEUES,
} from "@ecomarket/shared/contract/topology";

const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const QUEUE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/**
 * The queue of each subscriber by its name, out of texts such as `audit:audit_queue`.
 *
 * @throws {UsageError} for a name that is taken, and for a queue in whose slice another role's names
 *   are, or the other way round: its user would have a right on what is not its own.
 */
export function furtherSubscribers(texts: readonly string[]): Readonly<Record<string, string>> {
  const queues: Record<string, string> = {};
  const taken = new Set<string>([...RESERVED_ROLES, ...Object.keys(SUBSCRIBER_QUEUES)]);
  const foreign = [
    ...Object.values(SUBSCRIBER_QUEUES),
    DEAD_LETTER_QUEUE,
    DEAD_LETTER_EXCHANGE,
    ...EVENT_EXCHANGES,
  ];
  for (const text of texts) {
    const [name = "", queue = "", ...rest] = text.split(":");
    if (!NAME.test(name) || !QUEUE.test(queue) || rest.length > 0) {
      throw new UsageError(`--subscriber must be like audit:audit_queue, got "${text}"`);
    }
    if (taken.has(name)) throw new UsageError(`--subscriber: "${name}" is another role's name`);
    const other = foreign.find((each) => isWithin(queue, each) || isWithin(each, queue));
    if (other !== undefined || queue.startsWith("amq.")) {
      const whose = other ?? "amq.";
      throw new UsageError(
        `--subscriber: the queue "${queue}" of "${name}" is not its own: it meets "${whose}"`,
      );
    }
    taken.add(name);
    foreign.push(queue);
    queues[name] = queue;
  }
  return queues;
}

/** Whether `name` is in the slice of `queue`. */
function isWithin(name: string, queue: string): boolean {
  return name === queue || name.startsWith(`${queue}.`);
}
