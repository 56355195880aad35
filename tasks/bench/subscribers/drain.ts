/** Draining a queue with some subscriber, timed from its first delivery to its last settlement. */

/** What is drained, and how. */
export interface DrainOptions {
  readonly amqpUrl: string;
  readonly queue: string;
  /** Events that wait there. */
  readonly count: number;
  /** Deliveries in hand at once, for everybody the same. */
  readonly prefetch: number;
  /** An empty folder for a store. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Drains a queue, and returns the events a second. */
export type Drain = (options: DrainOptions) => Promise<number>;

/** A stopwatch that stops itself after `count` events. */
export class Stopwatch {
  readonly #count: number;
  readonly #all = Promise.withResolvers<void>();
  #startedAt: number | undefined;
  #endedAt = 0;
  #done = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** To be called with each delivery: the first one starts it. */
  arrived(): void {
    this.#startedAt ??= performance.now();
  }

  /** To be called once `events` are settled. */
  settled(events = 1): void {
    this.#done += events;
    if (this.#done < this.#count) return;
    this.#endedAt = performance.now();
    this.#all.resolve();
  }

  /** Events a second, once all are settled. @throws the signal's reason when it aborts. */
  async rate(signal: AbortSignal): Promise<number> {
    const stop = () => this.#all.reject(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      await this.#all.promise;
    } finally {
      signal.removeEventListener("abort", stop);
    }
    return this.#count / (this.#endedAt - this.#startedAt!) * 1000;
  }
}
