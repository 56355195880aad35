/** Waiting for an assertion to hold, in place of sleeping and hoping. What is asked, not asserted: `poll`. */
import { poll } from "@ecomarket/shared/base/poll";

/**
 * Resolves with what `probe` returns, as soon as it returns without throwing.
 *
 * @throws what `probe` threw last, when that takes longer than `timeoutMs`.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  timeoutMs: number = 15_000,
): Promise<T> {
  let failure: unknown;
  const held = await poll(async () => {
    try {
      return { value: await probe() };
    } catch (error) {
      failure = error;
      return undefined;
    }
  }, { timeoutMs, intervalMs: 25 });
  if (!held) throw failure;
  return held.value;
}
