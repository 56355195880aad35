/** What comes while something is under way is done together next. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Collects items, and hands them on in groups, one group after the other. */
export class Batches<T> {
  readonly #run: (items: readonly T[]) => Promise<void>;
  readonly #max: number;
  #waiting: T[] = [];
  #running: Promise<void> | undefined;

  /**
   * @param max items of one group, at most
   * @param run does a group, tells each of its items what came of it, and never rejects
   */
  constructor(max: number, run: (items: readonly T[]) => Promise<void>) {
    this.#max = max;
    this.#run = run;
  }

  /** Takes `item` into the next group that has a place. */
  add(item: T): void {
    this.#waiting.push(item);
    this.#running ??= this.#runAll();
  }

  /** Waits until all that was added is done. */
  async done(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #runAll(): Promise<void> {
    await nextTurn(); // Whoever comes in this turn of the event loop comes along.
    while (this.#waiting.length > 0) await this.#run(this.#waiting.splice(0, this.#max));
    this.#running = undefined;
  }
}
