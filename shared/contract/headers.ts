/**
 * The headers that we write on a message that failed, and how they are read back. Whatever comes
 * from the wire is hostile until proven otherwise: every reader here answers for any value.
 */
import { Buffer } from "node:buffer";
import type { MessageProperties, Options } from "amqplib";
import { originalProperties } from "./original_properties.ts";
import { withoutPartition } from "./partitions.ts";

/** Retries so far: 0 or absent on a first attempt. */
export const X_RETRIES = "x-retries";
/** The subscriber queue whose consumer failed. */
export const X_ORIGIN_QUEUE = "x-origin-queue";
/** A {@link FailureReason}. */
export const X_FAILURE_REASON = "x-failure-reason";
/** The error's message, at most {@link MAX_FAILURE_MESSAGE} characters. */
export const X_FAILURE_MESSAGE = "x-failure-message";
/** When it failed, ISO 8601 in UTC. */
export const X_FAILED_AT = "x-failed-at";
/** A UUID of this failure, by which a second delivery of one dead letter is recognised. */
export const X_FAILURE_ID = "x-failure-id";
/** What {@link originalProperties} says of a message that could not be published again as it was. */
export const X_ORIGINAL_PROPERTIES = "x-original-properties";
/**
 * Which replay sent the message: `<operation>/<dead letter>`. It travels along through retries and into
 * the next dead letter, by which the archive knows what came of the replay. Written by `deno task
 * dead-letters`; nobody decides anything by it but the archive, which believes it only of the message
 * that was sent.
 */
export const X_REPLAY_ID = "x-replay-id";
/** The event that was replaced by this one: its `event_id`. On what was replayed as a new event. */
export const X_REPLACES_EVENT = "x-replaces-event";
/** Asks subscribers to fail, such as `email:2,loyalty:always`. Honoured only with `SIMULATE_FAILURES=1`. */
export const X_SIMULATE_FAILURES = "x-simulate-failures";

/** Why we dead-letter. The broker has its own words for its own reasons, in `x-death`. */
export const FAILURE_REASONS = [
  "invalid-message",
  "newer-event",
  "permanent-error",
  "retries-exhausted",
  "handler-timeout",
] as const;

/** One of {@link FAILURE_REASONS}. */
export type FailureReason = typeof FAILURE_REASONS[number];

/** n.b. amqplib throws a RangeError for a header table over 64 KiB. */
export const MAX_FAILURE_MESSAGE = 1_000;

/** Characters of any other text in a failure's headers: a queue's name is no longer. */
const MAX_FAILURE_WORD = 255;

type Headers = Readonly<Record<string, unknown>>;

/** How often the message was retried: anything but a whole number from 0 up counts as 0. */
export function retriesSoFar(headers: Headers | undefined): number {
  const value = headers?.[X_RETRIES];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/**
 * How often a dead letter was tried again: by our own count, or where the broker dead-lettered it at
 * its delivery limit and we had not counted, by the broker's, which begins with the first attempt.
 */
export function retriesOfDeadLetter(headers: Headers | undefined): number {
  const isCounted = headers?.[X_RETRIES] !== undefined;
  if (isCounted || readFailure(headers).reason !== "delivery_limit") return retriesSoFar(headers);
  return Math.max(0, deliveryCount(headers) - 1);
}

/** How often the broker delivered the message before and got it back (quorum queues count). */
export function deliveryCount(headers: Headers | undefined): number {
  const value = headers?.["x-delivery-count"];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

/**
 * The headers that must not travel along when a message is published again. `x-death`: before 4.0
 * the broker interprets a copied one, sees a cycle, and drops the message. `CC` and `BCC`: the
 * broker would route the copy to every key in them as well.
 */
const BROKER_HEADERS =
  /^(?:x-death|x-(?:first|last)-death-.*|x-delivery-count|x-acquired-count|cc|bcc)$/i;

/**
 * The properties with which a failed message is published again: its own, plus `headers`, less what
 * would make the copy behave otherwise than a message of ours. `expiration` would let a waiting copy
 * vanish; the broker refuses a foreign `user_id`, and a `reply_to` that names its direct reply queue.
 * `messageId` is for a message that has none.
 *
 * n.b. not everything that amqplib reads can it write again. It throws then, before it has written
 * anything (`encodeBasicProperties()` in `defs.js`, `encodeTable()` in `codec.js`, @2.3.1): that is
 * what {@link minimalOptions} are for.
 */
export function republishOptions(
  properties: MessageProperties,
  messageId: string,
  headers: Headers,
): Options.Publish {
  const kept = Object.entries(properties.headers ?? {})
    .filter(([name]) => !BROKER_HEADERS.test(name));
  const { contentType, contentEncoding, priority, correlationId, replyTo, timestamp, type, appId } =
    properties;
  const own = { contentType, contentEncoding, priority, correlationId, timestamp, type, appId };
  return {
    ...definedOnly(own),
    ...(typeof replyTo === "string" && !replyTo.startsWith("amq.") ? { replyTo } : {}),
    messageId: properties.messageId || messageId,
    deliveryMode: 2,
    headers: { ...Object.fromEntries(kept), ...headers },
  };
}

/** What says of one failure that it was. A message that is given another try has none of it. */
const FAILURE_HEADERS: ReadonlySet<string> = new Set([
  X_RETRIES,
  X_ORIGIN_QUEUE,
  X_FAILURE_REASON,
  X_FAILURE_MESSAGE,
  X_FAILED_AT,
  X_FAILURE_ID,
]);

/**
 * `headers` of a dead letter as it is sent back: no failure is in them any more, and all retries are
 * left. With `replayId`, see {@link X_REPLAY_ID}.
 */
export function headersForReplay(headers: Headers, replayId: string): Record<string, unknown> {
  const own = Object.entries(headers).filter(([name]) => !FAILURE_HEADERS.has(name));
  return { ...Object.fromEntries(own), [X_RETRIES]: 0, [X_REPLAY_ID]: replayId };
}

/** The replay that sent the message, where one did. What is too long to be one of ours is none. */
export function replayIdOf(headers: Headers | undefined): string | undefined {
  return wholeWord(headers?.[X_REPLAY_ID]);
}

/**
 * The properties for a message that cannot be published again with its own: nothing of them is left
 * but what can always be written, the rest travels as bytes. The `timestamp` stays where it is one,
 * because it dates an event that names no time itself; and who replayed it stays, because its next
 * failure is to be found by it.
 */
export function minimalOptions(
  properties: MessageProperties,
  messageId: string,
  headers: Headers,
): Options.Publish {
  const timestamp: unknown = properties.timestamp;
  const replayId = replayIdOf(properties.headers);
  return {
    ...(Number.isSafeInteger(timestamp) ? { timestamp: Number(timestamp) } : {}),
    messageId,
    deliveryMode: 2,
    headers: {
      ...(replayId === undefined ? {} : { [X_REPLAY_ID]: replayId }),
      ...headers,
      [X_ORIGINAL_PROPERTIES]: originalProperties(properties),
    },
  };
}

/** What {@link minimalOptions} put aside, and the headers without it. */
export function takeOriginalProperties(
  headers: Headers,
): { readonly original: Buffer | undefined; readonly headers: Headers } {
  const { [X_ORIGINAL_PROPERTIES]: original, ...others } = headers;
  return Buffer.isBuffer(original)
    ? { original, headers: others }
    : { original: undefined, headers };
}

function definedOnly(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

/** `message` short enough for a header, in characters that any reader can show. */
export function failureMessage(message: string): string {
  return shorten(message, MAX_FAILURE_MESSAGE);
}

function shorten(text: string, max: number): string {
  const characters = [...text.toWellFormed()];
  if (characters.length <= max) return characters.join("");
  return `${characters.slice(0, max - 1).join("")}…`;
}

/** Where a dead letter comes from and why. */
export interface FailureReport {
  /** What tells this failure from every other one, also of the same message; where known. */
  readonly id: string | undefined;
  /** The queue whose consumer failed, or `unknown`. */
  readonly originQueue: string;
  /** A {@link FailureReason}, or the broker's own word: `delivery_limit`, `expired`, `rejected`, `maxlen`. */
  readonly reason: string;
  readonly message: string;
  /** ISO 8601 in UTC, where known. */
  readonly failedAt: string | undefined;
}

/**
 * What the headers of a dead letter say, short enough to be said again in the headers of a copy, but
 * for the message (see {@link failureMessage}). An `x-death` means that the broker dead-lettered it, and is
 * the truth then: we strip it from whatever we publish ourselves, and our own headers may be left
 * from an earlier failure, or forged.
 */
export function readFailure(headers: Headers | undefined): FailureReport {
  const deaths = headers?.["x-death"];
  const death: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  if (isRecord(death)) {
    const reason = word(death.reason) ?? "unknown";
    const seconds = isRecord(death.time) && typeof death.time.value === "number"
      ? death.time.value
      : undefined;
    const queue = withoutPartition(word(death.queue) ?? "unknown");
    return {
      id: seconds === undefined ? undefined : `${queue} ${reason} ${seconds}`,
      originQueue: queue,
      reason,
      message: reason === "delivery_limit"
        ? "the consumer died each time that it was given this message"
        : `dead-lettered by the broker (${reason})`,
      failedAt: seconds !== undefined && Math.abs(seconds) < 8.64e12
        ? new Date(seconds * 1000).toISOString()
        : undefined,
    };
  }
  return {
    id: wholeWord(headers?.[X_FAILURE_ID]),
    originQueue: word(headers?.[X_ORIGIN_QUEUE]) ?? "unknown",
    reason: word(headers?.[X_FAILURE_REASON]) ?? "unknown",
    message: text(headers?.[X_FAILURE_MESSAGE]) ?? "",
    failedAt: word(headers?.[X_FAILED_AT]),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === "string" ? shorten(value, MAX_FAILURE_WORD) : undefined;
}

/** n.b. a shortened id might be that of something else: it is none then. */
function wholeWord(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= MAX_FAILURE_WORD ? value : undefined;
}

/**
 * The headers with which a dead letter is published again. The broker's own report, `x-death`, cannot
 * be copied: what it says is kept in our words.
 */
export function failureHeaders(headers: Headers | undefined): Record<string, string> {
  const failure = readFailure(headers);
  return {
    [X_ORIGIN_QUEUE]: failure.originQueue,
    [X_FAILURE_REASON]: failure.reason,
    [X_FAILURE_MESSAGE]: failureMessage(failure.message),
    [X_FAILURE_ID]: failure.id ?? crypto.randomUUID(),
    ...(failure.failedAt === undefined ? {} : { [X_FAILED_AT]: failure.failedAt }),
  };
}
