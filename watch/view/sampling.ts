/** Which events get a row where there are more than anybody could read. */

/** Events of one second that get a row at most, whatever passes. */
export const ROWS_PER_SECOND = 25;
/** The newest rows, which are on the page in any case. */
export const ROWS_SHOWN = 60;
/** Older ones that are on it besides, for what is wrong with them. */
const TROUBLED_SHOWN = 20;

/** Lets the first few of each second through. */
export class RowSampler {
  #second = -1;
  #taken = 0;

  /** Whether an event at `nowMs` gets a row. */
  takes(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
    }
    return this.#taken++ < ROWS_PER_SECOND;
  }
}

/**
 * The rows to show of `rows`, which are in order of arrival: the newest, and of the older ones those
 * that something is wrong with. The newest first.
 */
export function chooseRows<Row>(
  rows: readonly Row[],
  isTroubled: (row: Row) => boolean,
): Row[] {
  const older = rows.slice(0, -ROWS_SHOWN).filter(isTroubled).slice(-TROUBLED_SHOWN);
  return [...older, ...rows.slice(-ROWS_SHOWN)].reverse();
}

/** Dots that are drawn for one move at most. */
export const DOTS_PER_MOVE = 6;

/** How many dots stand for `count` events, and for how many each of them stands at most. */
export function dotsFor(count: number): { readonly dots: number; readonly each: number } {
  const dots = Math.min(count, DOTS_PER_MOVE);
  return { dots, each: dots === 0 ? 0 : Math.ceil(count / dots) };
}
