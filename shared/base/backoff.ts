/** Trying again at what is not the message's fault, after waits that grow. */
import { setTimeout as delay } from "node:timers/promises";

/** The wait before the `n`-th new try: 100, 200, 400, … ms, at most 5 s. */
export function backoffDelayMs(n: number): number {
  return Math.min(100 * 2 ** (n - 1), 5_000);
}

/** How fast waits grow. */
export interface Pace {
  /** The first wait, at most. */
  readonly firstMs: number;
  /** Every wait, at most. */
  readonly maxMs: number;
}

/**
 * The wait before the `n`-th new try at `pace`: doubled each time up to its maximum, and then up to a
 * quarter shorter by chance, so that many who wait for one thing do not come all at once.
 */
export function jitteredDelayMs(
  n: number,
  { firstMs, maxMs }: Pace,
  random: () => number = Math.random,
): number {
  return Math.round(Math.min(firstMs * 2 ** (n - 1), maxMs) * (1 - random() / 4));
}

/** What {@link tryAgain} tries again, and how long. */
export interface TryAgainOptions {
  /** Whether another try may help after this failure. */
  readonly isWorthIt: (error: unknown) => boolean;
  /** Is told of each failure after which there is another try, and how long the wait is. */
  readonly onFailure?: (error: unknown, delayMs: number) => void;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * What `action` returns, tried as often as it takes.
 *
 * @throws what `action` throws and is not worth another try; an `AbortError` when `signal` aborts
 *   while the next try is waited for.
 */
export async function tryAgain<T>(
  action: () => T | Promise<T>,
  { isWorthIt, onFailure, signal }: TryAgainOptions,
): Promise<T> {
  for (let n = 1;; n++) {
    try {
      return await action();
    } catch (error) {
      if (!isWorthIt(error)) throw error;
      const delayMs = backoffDelayMs(n);
      onFailure?.(error, delayMs);
      await delay(delayMs, undefined, signal ? { signal } : {});
    }
  }
}
