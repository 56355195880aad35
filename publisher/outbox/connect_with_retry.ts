/** A {@link RobustPublisher}, however long the broker takes to be there and to accept us. */
import { setTimeout as delay } from "node:timers/promises";
import { backoffDelayMs } from "@ecomarket/shared/base/backoff";
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { RobustPublisher, type RobustPublisherOptions } from "../levels/robust_publisher.ts";

/**
 * Resolves with a connected publisher, or with nothing once `signal` has aborted. A broker that is
 * down, that refuses us, or that lacks an exchange is told to `onFailure`, and tried again after a
 * growing wait.
 *
 * @throws {Deno.errors.NotCapable} when the sandbox forbids to reach the broker.
 */
export async function connectWithRetry(
  options: RobustPublisherOptions & { readonly signal: AbortSignal },
  onFailure: (problem: string) => void,
): Promise<RobustPublisher | undefined> {
  const { signal } = options;
  for (let n = 1; !signal.aborted; n++) {
    try {
      return await RobustPublisher.connect(options);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof EcoMarketError)) throw error;
      onFailure(error.message);
      await delay(backoffDelayMs(n), undefined, { signal }).catch(() => {}); // Aborted: the loop ends.
    }
  }
  return undefined;
}
