/** What the relay does next, out of what became of the events that it has just published. */
import { backoffDelayMs } from "@ecomarket/shared/base/backoff";
import type { PublishOutcome } from "../levels/publisher.ts";
import type { OutboxRow } from "./outbox.ts";

/** What became of one row. Only what is `confirmed` leaves the outbox. */
export interface RowOutcome {
  readonly row: OutboxRow;
  /** `unpublishable`: it is no event that this program can publish, perhaps a newer one's. */
  readonly status: PublishOutcome["status"] | "unpublishable";
  /** Why it is not confirmed, and what to do. */
  readonly reason?: string;
}

/** Where the relay stands between two batches. */
export interface RelayPosition {
  /** Events up to here were tried since the last look at the head. */
  readonly position: number;
  /** When what failed is tried again, in `performance.now()` milliseconds; absent: nothing failed. */
  readonly retryAtMs?: number;
  /** Passes from the head with a failure in them, in a row. */
  readonly failedPasses: number;
  /** Whether to wait for `retryAtMs` instead of going on with what comes behind. */
  readonly isBlocked: boolean;
}

/** Whether the row may leave the outbox. */
export function isConfirmed({ status }: RowOutcome): boolean {
  return status === "confirmed";
}

/** Where the relay begins. */
export const AT_THE_HEAD: RelayPosition = { position: 0, failedPasses: 0, isBlocked: false };

/**
 * Where the relay stands after a batch.
 *
 * - All confirmed: it goes on behind them.
 * - None confirmed: the trouble is the broker's or the link's. It waits, and begins at the head again:
 *   so the order is kept, and the rest of the backlog is not tried in vain.
 * - Some confirmed, or none of them can ever be published: the trouble is those events' own, or over
 *   already. It goes on behind them, and comes back to them when their wait is over: one event that
 *   never can leave holds up no other.
 */
export function afterBatch(
  before: RelayPosition,
  outcomes: readonly RowOutcome[],
  nowMs: number,
): RelayPosition {
  const last = outcomes.at(-1)?.row.position ?? before.position;
  if (outcomes.every(isConfirmed)) return { ...before, position: last, isBlocked: false };
  const failedPasses = before.retryAtMs === undefined
    ? before.failedPasses + 1
    : before.failedPasses;
  const retryAtMs = before.retryAtMs ?? nowMs + backoffDelayMs(failedPasses);
  const isOwnFault = outcomes.some(isConfirmed) ||
    outcomes.every(({ status }) => status === "unpublishable");
  return { position: last, retryAtMs, failedPasses, isBlocked: !isOwnFault };
}

/** Where the relay stands after it has looked at everything there was, and before anything new. */
export function afterPass(before: RelayPosition): RelayPosition {
  return before.retryAtMs === undefined ? { ...before, failedPasses: 0 } : before;
}

/** Where the relay stands at `nowMs`: at the head again, once the wait of what failed is over. */
export function atTime(before: RelayPosition, nowMs: number): RelayPosition {
  if (before.retryAtMs === undefined || nowMs < before.retryAtMs) return before;
  return { position: 0, failedPasses: before.failedPasses, isBlocked: false };
}
