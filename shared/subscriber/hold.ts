/** Whether a subscriber rests, because something that it cannot work without is away. */

/** Something that a subscriber needs, and that may be away for a while. */
export interface Need {
  readonly isAway: boolean;
  /** What is said of it while it is away, such as `the store is unavailable`. */
  readonly absence: string;
  /** Called when {@link isAway} has changed. */
  set onChange(listener: () => void);
}

/** Holds a subscriber for as long as one of its needs is away: nothing is consumed meanwhile. */
export class Hold {
  readonly #needs: readonly Need[];

  constructor(needs: readonly Need[]) {
    this.#needs = needs;
  }

  /** Whether nothing may be consumed now. */
  get isHeld(): boolean {
    return this.#needs.some((need) => need.isAway);
  }

  /** Why nothing may be consumed now; empty where it may. */
  get reason(): string {
    return this.#needs.filter((need) => need.isAway).map((need) => need.absence).join("; ");
  }

  /** Called when a need has gone or come back, also where that changes nothing. */
  set onChange(listener: () => void) {
    for (const need of this.#needs) need.onChange = listener;
  }
}
