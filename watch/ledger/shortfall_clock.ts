/** For how long the broker has held less than is missing, without a break. */

/** One clock a subscriber. */
export class ShortfallClock {
  readonly #since = new Map<string, number>();

  /** Notes whether it `isShort` at `nowMs`. */
  note(name: string, isShort: boolean, nowMs: number): void {
    if (!isShort) this.#since.delete(name);
    else if (!this.#since.has(name)) this.#since.set(name, nowMs);
  }

  /** How long it has been short, in milliseconds; 0 where it is not. */
  lastsMs(name: string, nowMs: number): number {
    const since = this.#since.get(name);
    return since === undefined ? 0 : nowMs - since;
  }
}
