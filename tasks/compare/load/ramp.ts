/** Finding the point from which more at once brings no more done. */

/** One step of a ramp. */
export interface RampStep {
  readonly concurrency: number;
  readonly perSecond: number;
}

/** Where throughput ends. */
export interface Saturation {
  readonly maxPerSecond: number;
  /** The fewest requests at once with which it was reached. */
  readonly concurrency: number;
  /** Whether it stopped growing; otherwise the ramp ended first, and more may be possible. */
  readonly saturated: boolean;
  readonly steps: readonly RampStep[];
}

/** How a ramp goes. */
export interface RampPlan {
  readonly start: number;
  readonly max: number;
}

/** A step that brings less than this on top of the best has brought nothing. */
const MIN_GROWTH = 0.05;
/** So many steps without growth end the ramp: a single one may be bad luck. */
const PATIENCE = 2;
/** A step that falls below this part of the best is past the end: more would only pile up. */
const COLLAPSE = 0.5;

/** Doubles the concurrency from `start` until throughput has stopped growing, or to `max`. */
export async function ramp(
  measure: (concurrency: number) => Promise<number>,
  { start, max }: RampPlan,
): Promise<Saturation> {
  const steps: RampStep[] = [];
  for (let concurrency = start; concurrency <= max; concurrency *= 2) {
    steps.push({ concurrency, perSecond: await measure(concurrency) });
    if (hasEnded(steps)) break;
  }
  const best = steps[bestStep(steps)]!;
  return {
    maxPerSecond: Math.round(best.perSecond),
    concurrency: best.concurrency,
    saturated: hasEnded(steps),
    steps,
  };
}

/** The first step that later ones did not outgrow. */
function bestStep(steps: readonly RampStep[]): number {
  return steps.reduce(
    (best, step, n) => step.perSecond > steps[best]!.perSecond * (1 + MIN_GROWTH) ? n : best,
    0,
  );
}

function hasEnded(steps: readonly RampStep[]): boolean {
  const best = bestStep(steps);
  return steps.length - 1 - best >= PATIENCE ||
    steps.at(-1)!.perSecond < steps[best]!.perSecond * COLLAPSE;
}
