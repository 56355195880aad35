/**
 * Load as people make it: they come when they come, whether the ones before them were answered or
 * not.
 *
 * n.b. each request has the time at which it was meant to start, and its latency counts from there. A
 * generator that waits for one answer before it asks again leaves out just the requests that would
 * have waited longest (coordinated omission: https://www.youtube.com/watch?v=lJ8ydIuPFeU).
 */
import { type Clock, realClock } from "./clock.ts";

/** How much load. */
export interface OpenLoopPlan {
  readonly ratePerSecond: number;
  readonly count: number;
  readonly signal?: AbortSignal;
}

/** One request that was answered, well or not. */
export interface Sample {
  readonly n: number;
  readonly ok: boolean;
  /** From the intended start to the end. */
  readonly latencyMs: number;
}

/** Sends `count` requests, evenly spaced, and resolves once all are answered. `send` never rejects. */
export async function openLoop(
  send: (n: number) => Promise<boolean>,
  { ratePerSecond, count, signal }: OpenLoopPlan,
  clock: Clock = realClock,
): Promise<readonly Sample[]> {
  const startMs = clock.now();
  const underWay: Promise<Sample>[] = [];
  for (let n = 0; n < count; n++) {
    const intendedMs = startMs + n * 1000 / ratePerSecond;
    await clock.until(intendedMs, signal);
    underWay.push(
      send(n).then((ok) => ({ n, ok, latencyMs: clock.now() - intendedMs })),
    );
  }
  return await Promise.all(underWay);
}
