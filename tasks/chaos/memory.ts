/** What each role takes of memory over a run, and whether that is flat. Pure: samples in, a verdict out. */

/** The resident memory of one process at one moment. */
export interface MemorySample {
  readonly role: string;
  readonly pid: number;
  /** From the start of the run. */
  readonly atMs: number;
  readonly bytes: number;
}

/** What one role took, told by its process that lived longest. */
export interface RoleMemory {
  readonly role: string;
  readonly lifeMs: number;
  /** The median of its second quarter: by then it has loaded and compiled what it needs. */
  readonly settledBytes: number;
  /** The median of its last quarter. */
  readonly finalBytes: number;
  /** The most that any process of the role took. */
  readonly peakBytes: number;
  /** Whether it grew; `undefined` where it did not live long enough to tell. */
  readonly isFlat: boolean | undefined;
}

/** A process is judged that lived at least this long: before, a runtime's own warming up looks like a leak. */
const JUDGED_FROM_MS = 15 * 60_000;
/** What may be gained from the second quarter of a life to the last: the breathing of a garbage collector. */
const TOLERANCE = 0.2;

/** One entry for each role, in the order in which they were seen first. */
export function memoryOfRoles(samples: readonly MemorySample[]): RoleMemory[] {
  return [...Map.groupBy(samples, ({ role }) => role)].map(([role, ofRole]) => {
    const lives = [...Map.groupBy(ofRole, ({ pid }) => pid).values()];
    const longest = lives.reduce((best, life) => duration(life) > duration(best) ? life : best);
    const lifeMs = duration(longest);
    const settledBytes = medianOf(longest, 0.25, 0.5);
    const finalBytes = medianOf(longest, 0.75, 1);
    return {
      role,
      lifeMs,
      settledBytes,
      finalBytes,
      peakBytes: Math.max(...ofRole.map(({ bytes }) => bytes)),
      isFlat: lifeMs < JUDGED_FROM_MS ? undefined : finalBytes <= settledBytes * (1 + TOLERANCE),
    };
  });
}

function duration(life: readonly MemorySample[]): number {
  return life.at(-1)!.atMs - life[0]!.atMs;
}

/** The median of the samples in a part of a life, `from` and `to` being fractions of it. */
function medianOf(life: readonly MemorySample[], from: number, to: number): number {
  const first = Math.floor((life.length - 1) * from);
  const last = Math.ceil((life.length - 1) * to);
  const sorted = life.slice(first, last + 1).map(({ bytes }) => bytes).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
