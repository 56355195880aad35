/** One figure out of several turns: the middle one, and how far the others were from it. */

/** A figure of several turns. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The spread of `values`. @throws {Error} where there is none. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("No figure was measured");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/**
 * The median of `ours` by `theirs` in each turn. n.b. what stood beside each other in time is compared:
 * a busy minute of the machine is then in both.
 */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): number {
  return spreadOf(ours.map((value, turn) => value / theirs[turn]!)).median;
}

/** Makes each of `contestants` in turns (A B A B …), and returns what each gave, turn by turn. */
export async function inTurns<Name extends string, T>(
  contestants: Readonly<Record<Name, (turn: number) => Promise<T>>>,
  turns: number,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(contestants) as Name[];
  const found = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>;
  for (let turn = 0; turn < turns; turn++) {
    for (const name of names) found[name].push(await contestants[name](turn));
  }
  return found;
}
