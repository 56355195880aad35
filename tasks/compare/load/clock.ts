/** Time, as load generators see it. */
import { setTimeout as delay } from "node:timers/promises";

/** A clock that can be waited on. A test has one of its own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Resolves at `atMs`, at once when that is past. @throws the signal's reason when it aborts. */
  until(atMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's. */
export const realClock: Clock = {
  now: () => performance.now(),
  async until(atMs, signal) {
    const remaining = atMs - performance.now();
    if (remaining > 0) await delay(remaining, undefined, signal ? { signal } : {});
  },
};
