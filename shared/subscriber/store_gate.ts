/**
 * The way to a store that may be away: locked, full, read-only, or on a server that is down. Nothing
 * is begun that could not be kept, and what is finished is kept until it is committed.
 *
 * n.b. a delivery must not wait here for long. The broker takes back what is not acknowledged within
 * its consumer timeout (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout), and counts
 * that as a crash of the consumer: so whoever waits is told when to let go.
 */
import { setTimeout as delay } from "node:timers/promises";
import { aborted } from "../base/abort.ts";
import { tryAgain } from "../base/backoff.ts";
import { messageOf, StoreUnavailableError } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import type { Effect, Store } from "../store/store.ts";
import type { Need } from "./hold.ts";

/** How long a delivery waits for its store by default, in milliseconds. */
export const DEFAULT_STORE_PATIENCE_MS = 2_000;
/** How long a store that was written counts as writable. */
const FRESH_MS = 1_000;

/** What became of a commit. */
export type CommitResult = "committed" | "duplicate";

/**
 * Lets nobody wait for the store longer than the patience, and keeps every finished effect until it
 * is committed or the gate is closed.
 */
export class StoreGate implements Need {
  readonly absence = "the store is unavailable";
  readonly #store: Store;
  readonly #log: Logger;
  readonly #patienceMs: number;
  readonly #ended = new AbortController();
  /** Finished effects that the store has not taken yet, by the ids of their events. */
  readonly #pending = new Map<string, Promise<CommitResult>>();
  #writtenAt = -Infinity;
  #check: Promise<void> | undefined;
  #outage: ReturnType<typeof setTimeout> | undefined;
  #isAway = false;
  #onChange: () => void = () => {};

  constructor(store: Store, log: Logger, patienceMs: number = DEFAULT_STORE_PATIENCE_MS) {
    this.#store = store;
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /** Whether the store has been unavailable for longer than anybody waits. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Called when {@link isAway} has changed. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  /** Whether the store was written within the last second: then it counts as writable. */
  get isFresh(): boolean {
    return performance.now() - this.#writtenAt < FRESH_MS;
  }

  /**
   * Resolves once the store is known to be writable: it was written within the last second.
   *
   * @throws {StoreUnavailableError} when that takes longer than the patience.
   */
  async whenWritable(): Promise<void> {
    if (this.isFresh) return;
    await this.#patiently(this.#untilWritable());
  }

  /**
   * Whether the effect of `id` is committed.
   *
   * @throws {StoreUnavailableError} when the store cannot tell within the patience.
   */
  async has(id: string): Promise<boolean> {
    try {
      return await this.#store.has(id);
    } catch (error) {
      this.#lost(error);
    }
    return await this.#patiently(this.#persist(() => this.#store.has(id)));
  }

  /**
   * Commits `effect`. Where the store cannot take it within the patience this rejects, and the effect
   * stays here and is committed as soon as that is possible: see {@link pending}.
   *
   * @throws {StoreUnavailableError} when the patience is over.
   * @throws what the database says of a statement that can never succeed: nothing was committed.
   */
  async commit(id: string, effect: Effect): Promise<CommitResult> {
    try {
      const result = await this.#store.commit(id, effect);
      this.#written();
      return result;
    } catch (error) {
      this.#lost(error);
    }
    const committed = this.#persist(() => this.#store.commit(id, effect)).finally(() => {
      this.#pending.delete(id);
      // Also where the database refused it: it answered.
      if (!this.#ended.signal.aborted) this.#written();
    });
    committed.catch(ignore); // Whoever still waits for it hears of it.
    this.#pending.set(id, committed);
    return await this.#patiently(committed);
  }

  /** Whether the effect of `id` is finished and not committed yet. */
  isPending(id: string): boolean {
    return this.#pending.has(id);
  }

  /**
   * Waits for the effect of `id` that is finished and not committed yet, if there is one.
   *
   * @throws {StoreUnavailableError} when the patience is over.
   */
  async pending(id: string): Promise<void> {
    const committed = this.#pending.get(id);
    if (committed) await this.#patiently(committed.catch(ignore));
  }

  /**
   * Waits until nothing is pending, or until `deadline` aborts; then gives up what still is.
   *
   * @returns how many finished effects were given up.
   */
  async close(deadline: AbortSignal): Promise<number> {
    await Promise.race([Promise.allSettled(this.#pending.values()), aborted(deadline)]);
    clearTimeout(this.#outage);
    const givenUp = this.#pending.size;
    this.#ended.abort(new StoreUnavailableError("The subscriber stops"));
    return givenUp;
  }

  /** One look for all who wait. */
  #untilWritable(): Promise<void> {
    return this.#check ??= this.#find().finally(() => this.#check = undefined);
  }

  async #find(): Promise<void> {
    await this.#persist(() => this.#store.checkWritable());
    // An effect that the store refused says more than a small write that it took.
    const [first] = this.#pending.values();
    await first?.catch(ignore);
    this.#written();
  }

  /** `action`, tried again for as long as the store is unavailable. */
  #persist<T>(action: () => Promise<T>): Promise<T> {
    return tryAgain(action, {
      isWorthIt: (error) => error instanceof StoreUnavailableError,
      onFailure: (error) => this.#lost(error),
      signal: this.#ended.signal,
    });
  }

  /** `waiting`, for as long as a delivery may wait. What it waits for goes on afterwards. */
  async #patiently<T>(waiting: Promise<T>): Promise<T> {
    const done = new AbortController();
    const isOver = delay(this.#patienceMs, undefined, { signal: done.signal }).then(() => {
      throw new StoreUnavailableError(`The store was unavailable for ${this.#patienceMs} ms`);
    });
    isOver.catch(ignore); // Aborted: nobody waits any more.
    waiting.catch(ignore); // It may fail when nobody waits any more.
    try {
      return await Promise.race([waiting, isOver]);
    } finally {
      done.abort();
    }
  }

  /** Notes that the store cannot be used. @throws `error` where it says something else. */
  #lost(error: unknown): void {
    if (!(error instanceof StoreUnavailableError)) throw error;
    this.#writtenAt = -Infinity;
    if (this.#outage !== undefined) return;
    this.#log.warning("{reason}. Waiting for it", { reason: messageOf(error) });
    this.#outage = setTimeout(() => {
      this.#isAway = true;
      this.#log.warning(
        "The store stays unavailable: nothing is consumed, and what was taken goes back to its queue",
        { state: "paused" },
      );
      this.#onChange();
      this.#untilWritable().catch(ignore); // Somebody must look, or it would be away for ever.
    }, this.#patienceMs);
  }

  #written(): void {
    this.#writtenAt = performance.now();
    if (this.#outage === undefined) return;
    clearTimeout(this.#outage);
    this.#outage = undefined;
    this.#log.info("The store can be written again");
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#onChange();
  }
}

function ignore(): void {}
