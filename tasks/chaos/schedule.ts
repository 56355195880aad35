/** When each fault comes: decided by the seed alone, so that a run can be told again. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Fault } from "./faults/fault.ts";

/** A fault and its time. */
export interface Slot {
  readonly fault: Fault;
  /** From the start of the run. A fault that is due while another one is at work waits for its end. */
  readonly atMs: number;
}

/** The part of a run that passes before the first fault: it shows that everything works. */
const CALM_BEFORE = 0.05;

/**
 * Spreads `faults` over `durationMs`, in an order that `seed` decides. `halfway`, if given, comes in
 * the middle; whatever needs the subscriber that is down until then comes after it.
 */
export function schedule(
  faults: readonly Fault[],
  seed: number,
  durationMs: number,
  halfway?: { readonly fault: Fault; readonly subscriber: string },
): Slot[] {
  const random = xoroshiro128plus(seed);
  const ordered = shuffle(faults, (max) => uniformInt(random, 0, max));
  if (halfway) {
    const isLate = ({ needs }: Fault) => needs === halfway.subscriber;
    const late = ordered.filter(isLate);
    const anytime = ordered.filter((fault) => !isLate(fault));
    const middle = Math.floor((ordered.length + 1) / 2);
    const rest = shuffle([...anytime.slice(middle), ...late], (max) => uniformInt(random, 0, max));
    ordered.splice(0, ordered.length, ...anytime.slice(0, middle), halfway.fault, ...rest);
  }
  const stepMs = durationMs * (1 - CALM_BEFORE) / Math.max(ordered.length, 1);
  return ordered.map((fault, n) => ({
    fault,
    atMs: Math.round(
      durationMs * CALM_BEFORE + stepMs * n + uniformInt(random, 0, Math.floor(stepMs / 2)),
    ),
  }));
}

/** Fisher and Yates. `pick(max)` returns a number from 0 to `max`. */
function shuffle<T>(items: readonly T[], pick: (max: number) => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = pick(last);
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
