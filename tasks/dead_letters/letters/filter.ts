/** Which dead letters are meant: by group, subscriber, reason and age. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { printable } from "@ecomarket/shared/process/printable";
import { type Cause, groupId } from "./group.ts";

/** What a filter looks at. */
export interface Filterable extends Cause {
  readonly archivedAt: string;
  readonly isReplayed: boolean;
}

/** Which dead letters are meant; what is not said excludes none. */
export interface Filter {
  readonly group?: string | undefined;
  /** A queue, or one of the workshop's subscribers. */
  readonly subscriber?: string | undefined;
  readonly reason?: string | undefined;
  /** ISO 8601: archived before then. */
  readonly before?: string | undefined;
  /** ISO 8601: archived then or later. */
  readonly since?: string | undefined;
  /** Those as well that were sent back already. */
  readonly withReplayed: boolean;
}

/** The options of the command line from which a {@link Filter} is made. */
export const FILTER_OPTIONS = {
  group: { type: "string" },
  subscriber: { type: "string" },
  "reason-code": { type: "string" },
  "older-than": { type: "string" },
  "newer-than": { type: "string" },
  replayed: { type: "boolean" },
} as const;

/** What the command line says for {@link FILTER_OPTIONS}. */
export type FilterValues = {
  readonly [Name in keyof typeof FILTER_OPTIONS]?:
    | ((typeof FILTER_OPTIONS)[Name]["type"] extends "boolean" ? boolean : string)
    | undefined;
};

/** @throws {UsageError} when an age is none, or a group's id cannot be one. */
export function parseFilter(values: FilterValues, now: Date): Filter {
  const ago = (name: "older-than" | "newer-than") => {
    const age = values[name];
    if (age === undefined) return undefined;
    return new Date(now.getTime() - parseAgeMs(name, age)).toISOString();
  };
  const { group, subscriber, "reason-code": reason, replayed = false } = values;
  if (group !== undefined && !/^[0-9a-f]{4,8}$/.test(group)) {
    throw new UsageError(
      `--group must be an id from: deno task dead-letters groups, got "${group}"`,
    );
  }
  return {
    group,
    subscriber,
    reason,
    before: ago("older-than"),
    since: ago("newer-than"),
    withReplayed: replayed,
  };
}

/** Whether `letter` is meant by `filter`. */
export function matches(letter: Filterable, filter: Filter): boolean {
  const { group, subscriber, reason, before, since, withReplayed } = filter;
  if (letter.isReplayed && !withReplayed) return false;
  if (subscriber !== undefined && letter.originQueue !== queueOf(subscriber)) return false;
  if (reason !== undefined && letter.reason !== reason) return false;
  if (before !== undefined && letter.archivedAt >= before) return false;
  if (since !== undefined && letter.archivedAt < since) return false;
  return group === undefined || groupId(letter).startsWith(group);
}

/**
 * n.b. a queue that the project does not know is one of `origins`, or nothing of it ever died.
 *
 * @param origins the queues of which the archive has dead letters.
 * @throws {UsageError} when `filter` names another subscriber: no dead letters would be taken for good news.
 */
export function refuseUnknownSubscriber(
  { subscriber }: Pick<Filter, "subscriber">,
  origins: readonly string[],
): void {
  if (subscriber === undefined) return;
  const queues = new Set([...Object.values<string>(SUBSCRIBER_QUEUES), ...origins]);
  if (queues.has(queueOf(subscriber))) return;
  const known = [...Object.keys(SUBSCRIBER_QUEUES), ...queues];
  throw new UsageError(
    `--subscriber must be one of ${known.map(printable).join(", ")}, got "${subscriber}"`,
  );
}

function queueOf(subscriber: string): string {
  return Object.hasOwn(SUBSCRIBER_QUEUES, subscriber)
    ? SUBSCRIBER_QUEUES[subscriber as keyof typeof SUBSCRIBER_QUEUES]
    : subscriber;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** @throws {UsageError} when `text` is not like `90d`, `2h`, `30m` or `45s`. */
export function parseAgeMs(name: string, text: string): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new UsageError(`--${name} must be an age such as 90d, 2h, 30m or 45s, got "${text}"`);
  }
  return Number(amount) * UNITS_MS[unit!]!;
}
