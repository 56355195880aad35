/** Expired idempotency keys are removed for as long as the API runs: their answers hold names and addresses. */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import type { Logger } from "@ecomarket/shared/process/log";
import { type IdempotencyKeys, PRUNED_AT_ONCE } from "./idempotency.ts";

/** How a {@link pruneKeys} runs. */
export interface KeyPruningOptions {
  readonly keys: Pick<IdempotencyKeys, "prune">;
  readonly log: Logger;
  /** How long it rests once nothing expired is left. @default 60000 */
  readonly intervalMs?: number;
}

/** Between two batches others have their turn. */
const BETWEEN_BATCHES_MS = 20;

/**
 * Removes expired keys in small batches until `stop` aborts, and lets requests in between. A store that
 * cannot be written now is told, and asked again later: nothing depends on when a key is removed.
 */
export async function pruneKeys(
  { keys, log, intervalMs = 60_000 }: KeyPruningOptions,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    const isMore = await keys.prune(new Date()).then(
      (count) => count === PRUNED_AT_ONCE,
      (error) => {
        if (!(error instanceof StoreUnavailableError)) throw error;
        log.debug("Expired keys stay for now: {reason}", { reason: messageOf(error) });
        return false;
      },
    );
    const restMs = isMore ? BETWEEN_BATCHES_MS : intervalMs;
    await delay(restMs, undefined, { signal: stop }).catch(() => {}); // Aborted: the loop ends.
  }
}
