/** A {@link RobustPublisher}, however long the broker takes to be there and to accept us. */
import { tryAgain } from "@ecomarket/shared/base/backoff";
import { EcoMarketError, messageOf } from "@ecomarket/shared/base/errors";
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
  if (signal.aborted) return undefined;
  try {
    return await tryAgain(() => RobustPublisher.connect(options), {
      isWorthIt: (error) => error instanceof EcoMarketError && !signal.aborted,
      onFailure: (error) => onFailure(messageOf(error)),
      signal,
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
