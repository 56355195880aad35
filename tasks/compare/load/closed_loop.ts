/** As much load as is answered: so many workers, each asking again as soon as it has its answer. */
import { type Clock, realClock } from "./clock.ts";

/** How much load, and for how long it is looked at. */
export interface ClosedLoopPlan {
  readonly concurrency: number;
  /** The workers start over this time, so that they do not move in step. It is not measured. */
  readonly leadInMs: number;
  readonly measureMs: number;
  readonly signal?: AbortSignal;
}

/** How many requests a second were answered well in the measured time. `send` never rejects. */
export async function closedLoop(
  send: () => Promise<boolean>,
  { concurrency, leadInMs, measureMs, signal }: ClosedLoopPlan,
  clock: Clock = realClock,
): Promise<number> {
  const from = clock.now() + leadInMs;
  const to = from + measureMs;
  let answered = 0;
  const worker = async (n: number) => {
    await clock.until(from - leadInMs * (1 - n / concurrency), signal);
    while (clock.now() < to) {
      signal?.throwIfAborted();
      const ok = await send();
      const now = clock.now();
      if (ok && now >= from && now < to) answered++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, n) => worker(n)));
  return answered / (measureMs / 1000);
}
