/**
 * The way to what a handler cannot work without, such as a mail server. While it is away, events are
 * not at fault: the subscriber rests and asks again and again, as a circuit breaker does.
 */
import { setTimeout as delay } from "node:timers/promises";
import { rejectOnAbort } from "../base/abort.ts";
import { jitteredDelayMs, type Pace } from "../base/backoff.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import type { Pause } from "../store/pauses.ts";
import type { Store } from "../store/store.ts";
import type { Need } from "./hold.ts";
import type { SubscriberSpec } from "./subscriber_spec.ts";

/** How often what is away is asked for, by default. */
export const DEFAULT_PROBE_PACE: Pace = { firstMs: 1_000, maxMs: 30_000 };
/** How long one check may take. */
export const CHECK_TIMEOUT_MS = 10_000;

/** Characters of a reason that are kept. */
const MAX_REASON_LENGTH = 300;

/** What a gate works with. */
export interface DependencyGateOptions {
  /** Where a pause is noted, for whoever looks from outside. */
  readonly store: Pick<Store, "notePause">;
  readonly log: Logger;
  /** Ends every check and every wait. */
  readonly signal: AbortSignal;
  /** @default {@link DEFAULT_PROBE_PACE} */
  readonly probePace?: Pace | undefined;
}

/** Tells whether what a subscriber's handler depends on is there. Without a dependency it always is. */
export class DependencyGate implements Need, Disposable {
  readonly #spec: Pick<SubscriberSpec<unknown>, "queue" | "dependency">;
  readonly #store: Pick<Store, "notePause">;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #ended = new AbortController();
  readonly #pace: Pace;
  /** The check that is under way, and the one that follows it. Neither rejects. */
  #running: Promise<boolean> | undefined;
  #following: Promise<boolean> | undefined;
  #isAway = false;
  #onChange: () => void = () => {};

  constructor(
    spec: Pick<SubscriberSpec<unknown>, "queue" | "dependency">,
    options: DependencyGateOptions,
  ) {
    this.#spec = spec;
    this.#store = options.store;
    this.#log = options.log;
    this.#signal = AbortSignal.any([options.signal, this.#ended.signal]);
    this.#pace = options.probePace ?? DEFAULT_PROBE_PACE;
  }

  /** Whether it was away when it was asked for last. */
  get isAway(): boolean {
    return this.#isAway;
  }

  get absence(): string {
    return `${this.#spec.dependency?.name} is away`;
  }

  /** Called when {@link isAway} has changed. */
  set onChange(listener: () => void) {
    this.#onChange = listener;
  }

  /** The first look, before anything is consumed. Forgets a pause that a killed process has noted. */
  async start(): Promise<void> {
    if (await this.isAvailable()) this.#note(undefined);
  }

  /**
   * Whether it can be used, asked now: one check for all who ask at the same time. n.b. a check that
   * is under way already says nothing of what has failed since it began: it is not shared.
   */
  isAvailable(): Promise<boolean> {
    if (!this.#spec.dependency) return Promise.resolve(true);
    return this.#following ??= this.#look();
  }

  /** Asks no more, and notes that nobody rests: closing the store commits that. */
  [Symbol.dispose](): void {
    this.#ended.abort(new Error("The subscriber stops"));
    if (this.#isAway) this.#note(undefined);
  }

  async #look(): Promise<boolean> {
    await this.#running;
    this.#following = undefined;
    if (this.#isAway || this.#signal.aborted) return false;
    this.#running = this.#check().then(() => true, (error) => {
      if (!this.#signal.aborted) this.#rest(error);
      return false;
    });
    return await this.#running;
  }

  /** @throws what the dependency says, or that it says nothing in time. */
  async #check(): Promise<void> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`no answer within ${CHECK_TIMEOUT_MS / 1000} s`)),
      CHECK_TIMEOUT_MS,
    );
    const signal = AbortSignal.any([this.#signal, late.signal]);
    try {
      const checking = Promise.try(() => this.#spec.dependency?.check(signal));
      await Promise.race([checking, rejectOnAbort(signal)]);
    } finally {
      clearTimeout(timer);
    }
  }

  #rest(error: unknown): void {
    this.#isAway = true;
    this.#probe(new Date(), reasonOf(error)).catch(() => {}); // Told to stop.
    this.#onChange();
  }

  /** Asks until it is there. @throws {AbortError} when the subscriber stops. */
  async #probe(since: Date, firstReason: string): Promise<void> {
    const { queue, dependency } = this.#spec;
    const waitsFor = dependency!.name;
    const from = performance.now();
    let reason: string | undefined = firstReason;
    for (let n = 1; reason !== undefined; n++) {
      const delayMs = jitteredDelayMs(n, this.#pace);
      const fields = { queue, waitsFor, reason, delayMs };
      if (n === 1) {
        this.#log.warning(
          "{waitsFor} is away ({reason}): {queue} waits, and what was taken from it goes back. " +
            "Asking again in {delayMs} ms",
          { ...fields, state: "paused" },
        );
      } else {
        this.#log.debug("{waitsFor} is still away ({reason}): again in {delayMs} ms", fields);
      }
      this.#note({ waitsFor, reason, since, probedAt: new Date() });
      await delay(delayMs, undefined, { signal: this.#signal });
      reason = await this.#check().then(() => undefined, reasonOf);
      this.#signal.throwIfAborted();
    }
    const pausedMs = Math.round(performance.now() - from);
    this.#log.info("{waitsFor} is back after {pausedMs} ms", { waitsFor, pausedMs });
    this.#note(undefined);
    this.#isAway = false;
    this.#onChange();
  }

  /** Best effort: whoever looks from outside may wait, the events may not. Never rejects. */
  #note(pause: Pause | undefined): Promise<void> {
    return this.#store.notePause(pause).catch((error) => {
      this.#log.debug("Cannot note the pause: {reason}", { reason: messageOf(error) });
    });
  }
}

/** n.b. another machine's words, that end on somebody's terminal. */
function reasonOf(error: unknown): string {
  return messageOf(error).replaceAll(/\p{Cc}/gu, "?").slice(0, MAX_REASON_LENGTH);
}
