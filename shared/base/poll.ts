/** Waiting for something that nobody announces: asked again and again, up to a deadline. */
import { setTimeout as delay } from "node:timers/promises";
import { EcoMarketError } from "./errors.ts";

/** How a wait ends, and how often it looks. */
export interface PollOptions {
  readonly timeoutMs: number;
  /** @default 50 */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks `attempt` until it returns something other than `undefined` or `false`, and returns that;
 * `undefined` once `timeoutMs` have passed. What `attempt` throws ends the wait.
 *
 * @throws the signal's reason when it aborts.
 */
export async function poll<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs, intervalMs = 50, signal }: PollOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    signal?.throwIfAborted();
    const found = await attempt();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= deadline) return undefined;
    await delay(intervalMs, undefined, signal ? { signal } : {});
  }
}

/** Something that was waited for did not come in time. */
export class LateError extends EcoMarketError {
  override readonly code = "LATE";

  constructor(what: string, timeoutMs: number) {
    super(
      `Waited ${timeoutMs / 1000} s for ${what}, and it did not come. ` +
        "Try again when the machine has less to do",
    );
  }
}

/**
 * Resolves once `isSo` holds.
 *
 * @param options `timeoutMs` is 30 s unless it is given.
 * @throws {LateError} that names `what`, when that takes longer.
 * @throws the signal's reason when it aborts.
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  { timeoutMs = 30_000, ...options }: Partial<PollOptions> = {},
): Promise<void> {
  if (!await poll(isSo, { timeoutMs, ...options })) throw new LateError(what, timeoutMs);
}
