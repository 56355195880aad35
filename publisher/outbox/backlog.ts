/** Whether what waits in the outbox is worth a warning. Nothing is dropped or refused for it. */
import type { Logger } from "@ecomarket/shared/process/log";

/** What waits in the outbox. */
export interface Backlog {
  readonly events: number;
  /** How long the first of them has waited; 0 where nothing waits. */
  readonly oldestAgeMs: number;
}

/** From when on a backlog is worth a warning. */
export interface BacklogBounds {
  readonly maxEvents: number;
  readonly maxAgeMs: number;
}

/** Whether neither bound is crossed. A bound itself may be reached. */
export function isWithinBounds(backlog: Backlog, bounds: BacklogBounds): boolean {
  return backlog.events <= bounds.maxEvents && backlog.oldestAgeMs <= bounds.maxAgeMs;
}

/** Logs once when a bound is crossed, and once when the backlog is back within both. */
export class BacklogWatch {
  readonly #bounds: BacklogBounds;
  readonly #log: Logger;
  #isWithin = true;

  constructor(bounds: BacklogBounds, log: Logger) {
    this.#bounds = bounds;
    this.#log = log;
  }

  /** Looks at `backlog`. */
  see(backlog: Backlog): void {
    const isWithin = isWithinBounds(backlog, this.#bounds);
    if (isWithin === this.#isWithin) return;
    this.#isWithin = isWithin;
    const figures = { ...backlog, ...this.#bounds };
    if (isWithin) {
      this.#log.info("The outbox is within its bounds again: {events} events wait", figures);
    } else {
      this.#log.warning(
        "{events} events wait in the outbox, the first for {oldestAgeMs} ms (bounds: {maxEvents} " +
          "events, {maxAgeMs} ms). Nothing is lost: see that the broker runs, and that " +
          "deno task setup-queues --check is content",
        figures,
      );
    }
  }
}
