/**
 * Keeps an inbox from growing for ever, where a person has said how long an event may come again. n.b.
 * it walks through the ids in small steps, as no index by age has to be paid for with each event then.
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import type { Store } from "../store/store.ts";

const DAY_MS = 86_400_000;
/** Rows that are looked at in one step: some milliseconds. */
const STEP = 1_000;
/** How long those who commit events have the store for themselves between two steps. */
const PAUSE_MS = 50;
/** How long after the start, and how long after its end, a walk begins. */
const FIRST_MS = 60_000;
const AGAIN_MS = 6 * 3_600_000;

/**
 * Removes what `store` did more than `days` days ago, now and then, until it is disposed of; nothing
 * where `days` are not given. A store that is away is left alone until the next time.
 */
export function keepInboxShort(
  store: Store,
  days: number | undefined,
  log: Logger,
): Disposable {
  const ended = new AbortController();
  if (days !== undefined) void walkAgainAndAgain(store, days, log, ended.signal);
  return { [Symbol.dispose]: () => ended.abort() };
}

/**
 * One walk through the whole inbox. @returns how many rows were removed.
 *
 * @throws {StoreUnavailableError} when the store cannot be written now.
 */
export async function forgetBefore(
  store: Store,
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (let position: string | undefined = ""; position !== undefined && !signal.aborted;) {
    const part = await store.forget(before, position, STEP);
    removed += part.removed;
    position = part.next;
    if (position !== undefined) await delay(PAUSE_MS, undefined, { signal });
  }
  return removed;
}

async function walkAgainAndAgain(
  store: Store,
  days: number,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = FIRST_MS;; waitMs = AGAIN_MS) {
    try {
      await delay(waitMs, undefined, { signal });
      const removed = await forgetBefore(store, new Date(Date.now() - days * DAY_MS), signal);
      if (removed > 0) {
        log.info("{removed} events older than {days} days forgotten", { removed, days });
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warning("The inbox was not shortened: {reason}", { reason: messageOf(error) });
    }
  }
}
