/** Waiting for something to become true, in place of sleeping and hoping. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;

/**
 * Resolves with what `probe` returns, as soon as it returns without throwing.
 *
 * @throws what `probe` threw last, when that takes longer than `timeoutMs`.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  timeoutMs: number = 15_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await delay(POLL_MS);
  }
}
