/**
 * Retries that the broker itself delays (RabbitMQ 4.3 and later), for a subscriber that asks for them:
 * what its queue is declared with, and what that leads to. See docs/decisions/0012.
 */
import { BrokerTooOldError, ConfigError } from "../base/errors.ts";

/** How often the broker gives a failed message back, and after how long. */
export interface NativeRetry {
  /** Retries after the first attempt, from 1 on. n.b. one that ends in its consumer's death counts, too. */
  readonly retries: number;
  /** Milliseconds before the first retry; before the second twice as many, and so on. */
  readonly minDelayMs: number;
  /** More milliseconds than these are never waited. */
  readonly maxDelayMs: number;
}

/** A queue as far as this asks for it. */
interface Declared {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** The series from which on a quorum queue knows `x-delayed-retry-type`. */
const SINCE = { major: 4, minor: 3 } as const;

/** A day, as for the retry queues. */
const MAX_DELAY_MS = 86_400_000;
/** More attempts than these are no retry any more. */
const MAX_RETRIES = 100;

/**
 * `retry`, once its numbers are found to be ones that the broker can keep.
 *
 * @throws {ConfigError} that says which is not.
 */
export function checkedNativeRetry(retry: NativeRetry): NativeRetry {
  const { retries, minDelayMs, maxDelayMs } = retry;
  const isWithin = (value: number, min: number, max: number) =>
    Number.isSafeInteger(value) && value >= min && value <= max;
  if (!isWithin(retries, 1, MAX_RETRIES)) {
    throw new ConfigError(`retry: retries must be from 1 to ${MAX_RETRIES}, got ${retries}`);
  }
  if (!isWithin(minDelayMs, 1, MAX_DELAY_MS) || !isWithin(maxDelayMs, minDelayMs, MAX_DELAY_MS)) {
    throw new ConfigError(
      `retry: minDelayMs and maxDelayMs must be from 1 to ${MAX_DELAY_MS} ms, the first not above the ` +
        `second, got ${minDelayMs} and ${maxDelayMs}`,
    );
  }
  return retry;
}

/**
 * The delay before each retry, as the broker chooses it: the minimum times the failures so far, at
 * most the maximum (tried on 4.3.6).
 */
export function nativeDelaysMs({ retries, minDelayMs, maxDelayMs }: NativeRetry): number[] {
  return Array.from(
    { length: retries },
    (_, failures) => Math.min(minDelayMs * (failures + 1), maxDelayMs),
  );
}

/**
 * What a subscriber's queue is declared with besides. `failed` delays what is rejected and what came
 * back from a dead consumer, both counted; what is nacked comes back at once, uncounted (tried on
 * 4.3.6; of `returned` it is the other way round, and `all` delays both).
 */
export function nativeArguments(
  { retries, minDelayMs, maxDelayMs }: NativeRetry,
): Readonly<Record<string, string | number>> {
  return {
    "x-delivery-limit": retries,
    "x-delayed-retry-type": "failed",
    "x-delayed-retry-min": minDelayMs,
    "x-delayed-retry-max": maxDelayMs,
  };
}

/** The queues of `queues` whose retries the broker is to delay. */
export function queuesWithNativeRetry(queues: readonly Declared[]): string[] {
  return queues.filter(({ arguments: args }) => "x-delayed-retry-type" in args)
    .map(({ name }) => name);
}

/**
 * The longest time for which a message of a queue with these arguments may wait where nobody sees it:
 * neither a consumer nor a count of its messages (tried on 4.3.6). 0 where the queue delays nothing.
 */
export function longestHiddenMs(queueArguments: Readonly<Record<string, unknown>>): number {
  const maxMs = queueArguments["x-delayed-retry-max"];
  return typeof maxMs === "number" ? maxMs : 0;
}

/**
 * Refuses queues with native retry on a broker that does not know it. n.b. an older one declares them
 * without a word, and gives what is rejected back at once (tried on 3.10.8).
 *
 * @param version the broker's, such as `4.3.6`.
 * @throws {BrokerTooOldError} that names the queues, the version and what to do.
 */
export function requireNativeRetry(version: string, queues: readonly Declared[]): void {
  const asking = queuesWithNativeRetry(queues);
  if (asking.length > 0 && !knowsNativeRetry(version)) {
    const { what, mend } = nativeRetryRefusal(version, asking);
    throw new BrokerTooOldError(`${what}. ${mend}`);
  }
}

/** What is said of `queues` where the broker's `version` is too old for them. */
export function nativeRetryRefusal(
  version: string,
  queues: readonly string[],
): { readonly what: string; readonly mend: string } {
  const shown = queues.map((queue) => `"${queue}"`).join(", ");
  return {
    what:
      `The broker is RabbitMQ ${version}, and delays no retries: ${shown} would be given a failed ` +
      "event again at once",
    mend: `Use RabbitMQ ${SINCE.major}.${SINCE.minor} or later, or take \`retry\` out of the ` +
      "subscriber, which then has retry queues",
  };
}

/** n.b. what is no version is none that is known to do it. */
export function knowsNativeRetry(version: string): boolean {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return +major > SINCE.major || (+major === SINCE.major && +minor >= SINCE.minor);
}
