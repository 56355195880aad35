/** Waiting for something that nobody announces: asked again and again, up to a deadline. */
import { setTimeout as delay } from "node:timers/promises";

/** How a wait ends, and how often it looks. */
export interface PollOptions {
  readonly timeoutMs: number;
  /** @default 50 */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks `attempt` until it returns something other than `undefined`, and returns that; `undefined`
 * once `timeoutMs` have passed. What `attempt` throws ends the wait.
 *
 * @throws the signal's reason when it aborts.
 */
export async function poll<T>(
  attempt: () => Promise<T | undefined> | T | undefined,
  { timeoutMs, intervalMs = 50, signal }: PollOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    signal?.throwIfAborted();
    const found = await attempt();
    if (found !== undefined) return found;
    if (performance.now() >= deadline) return undefined;
    await delay(intervalMs, undefined, signal ? { signal } : {});
  }
}
