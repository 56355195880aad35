/**
 * Puts together what is seen from several sides: messages that pass, rows that appear in stores, and
 * what the subscribers of this page say of their attempts. Sides may tell in any order.
 */
import type { Cell, Move } from "../view/view.ts";
import { RowSampler } from "../view/sampling.ts";
import type { Ledger } from "./ledger.ts";
import type { Stories } from "./stories.ts";

/** An event that somebody saw, or sent. */
export interface SeenEvent {
  readonly id: string;
  /** What retries and dead letters call it, where its body says another id than its message. */
  readonly alias?: string | undefined;
  readonly type: string;
  readonly label: string;
  readonly exchange: string;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly body: string | undefined;
}

/** A failed attempt, as a subscriber tells it. */
export interface FailedAttempt {
  readonly id: string;
  readonly attempt: number;
  readonly reason: string;
  /** After how long it is tried again; `undefined` where it was given up. */
  readonly delayMs: number | undefined;
}

/** A dead letter that came into the archive. */
export interface SeenLetter {
  readonly id: string;
  readonly type: string;
  readonly exchange: string;
  readonly reason: string;
  readonly detail: string;
  readonly at: number;
}

/** Events per second are those of this many milliseconds before. */
const RATE_WINDOW_MS = 2_000;

/** All that was observed since the page was opened. */
export class Observation {
  readonly #ledger: Ledger;
  readonly #stories: Stories;
  readonly #sampler = new RowSampler();
  readonly #now: () => number;
  #moves = new Map<string, Move>();
  #recent: { readonly at: number; readonly count: number }[] = [];
  #shown = 0;

  constructor(ledger: Ledger, stories: Stories, now: () => number = Date.now) {
    this.#ledger = ledger;
    this.#stories = stories;
    this.#now = now;
  }

  /** Events that have a row, of all that were published. */
  get shown(): number {
    return this.#shown;
  }

  /** Events that were published in the last second. */
  get perSecond(): number {
    const from = this.#now() - RATE_WINDOW_MS;
    this.#recent = this.#recent.filter(({ at }) => at >= from);
    const count = this.#recent.reduce((sum, { count }) => sum + count, 0);
    return Math.round(count / (RATE_WINDOW_MS / 1_000));
  }

  /** What moved since the last call. */
  takeMoves(): Move[] {
    const moves = [...this.#moves.values()];
    this.#moves = new Map();
    return moves;
  }

  /** This page is about to publish `event`. */
  sending(event: SeenEvent): void {
    const at = this.#now();
    this.#stories.begin({ ...event, at, publishing: "sent" });
    this.#shown++;
    this.#stories.step(event.id, { at, who: undefined, kind: "sent" });
  }

  /** The broker has `event`, safely: it counts as published from now on. */
  confirmed(event: SeenEvent): void {
    const { id } = event;
    this.#count([event]);
    this.#stories.publishing(id, "confirmed");
    this.#stories.step(id, { at: this.#now(), who: undefined, kind: "confirmed" });
  }

  /** The broker has not confirmed the event `id`, and nobody tries any longer. */
  notConfirmed(id: string, detail: string): void {
    this.#stories.publishing(id, "failed");
    this.#stories.step(id, { at: this.#now(), who: undefined, kind: "failed", detail });
  }

  /** These passed on the broker. */
  passed(events: readonly SeenEvent[]): void {
    for (const event of this.#count(events)) {
      const at = this.#now();
      if (!this.#stories.has(event.id) && this.#sampler.takes(at)) {
        this.#stories.begin({ ...event, at, publishing: "seen" });
        this.#shown++;
        this.#catchUp(event.id);
      }
    }
    for (const { id, headers, body } of events) {
      if (!this.#stories.has(id)) continue;
      this.#stories.recognise(id, { headers, body });
      this.#stories.step(id, { at: this.#now(), who: undefined, kind: "seen" });
    }
  }

  /** These events have had their effect on `subscriber`. */
  committed(subscriber: string, ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#ledger.batch(() => ids.forEach((id) => this.#ledger.effect(subscriber, id)));
    this.#moved("committed", subscriber, ids.length);
    for (const id of ids) {
      const before = this.#stories.cellOf(id, subscriber);
      if (!before) continue;
      this.#stories.cell(id, subscriber, { state: "committed", replayed: wasGivenUp(before) });
      this.#stories.step(id, { at: this.#now(), who: subscriber, kind: "committed" });
    }
  }

  /** An attempt of `subscriber` has failed. */
  failed(subscriber: string, { id: told, attempt, reason, delayMs }: FailedAttempt): void {
    const id = this.#ledger.idOf(told);
    const at = this.#now();
    const isRetry = delayMs !== undefined;
    this.#stories.step(id, {
      at,
      who: subscriber,
      kind: isRetry ? "retried" : "gave-up",
      attempt,
      delayMs,
      detail: reason,
    });
    if (isRetry) {
      this.#moved("retried", subscriber, 1);
      const until = at + delayMs;
      this.#stories.cell(id, subscriber, { state: "retrying", attempt, reason, until, delayMs });
    }
  }

  /** A dead letter of `subscriber` came into the archive. */
  archived(subscriber: string, letter: SeenLetter): void {
    const { type, exchange, reason, detail, at } = letter;
    const id = this.#ledger.idOf(letter.id);
    this.#ledger.letter(subscriber, id);
    this.#moved("dead", subscriber, 1);
    // What is wrong is worth a row, whether its event was drawn or not.
    if (!this.#stories.has(id)) {
      const beginning = { id, type, label: "", exchange, headers: undefined, body: undefined };
      this.#stories.begin({ ...beginning, at, publishing: "earlier" });
      this.#catchUp(id);
    }
    this.#stories.cell(id, subscriber, { state: "dead", reason, detail });
    this.#stories.step(id, {
      at,
      who: subscriber,
      kind: "archived",
      detail: `${reason}: ${detail}`,
    });
  }

  /** The dead letter of the event `id` was sent back to `subscriber`. */
  replayed(subscriber: string, told: string): void {
    const id = this.#ledger.idOf(told);
    if (this.#stories.cellOf(id, subscriber)?.state !== "dead") return;
    this.#stories.cell(id, subscriber, { state: "replayed" });
    this.#stories.step(id, { at: this.#now(), who: subscriber, kind: "replayed" });
  }

  /** Counts those that are new, and returns them. */
  #count(events: readonly SeenEvent[]): SeenEvent[] {
    const fresh: SeenEvent[] = [];
    this.#ledger.batch(() => {
      for (const event of events) {
        if (this.#ledger.publish(event.id, event.exchange, event.alias)) fresh.push(event);
      }
    });
    if (fresh.length === 0) return fresh;
    this.#recent.push({ at: this.#now(), count: fresh.length });
    this.#moved("published", undefined, fresh.length);
    return fresh;
  }

  /** The cells of a story that began when its event was on its way already. */
  #catchUp(id: string): void {
    for (const subscriber of this.#ledger.subscribers) {
      const mark = this.#ledger.markOf(subscriber, id);
      if (mark && mark.effects > 0) {
        this.#stories.cell(id, subscriber, { state: "committed", replayed: false });
      }
    }
  }

  #moved(kind: Move["kind"], who: string | undefined, count: number): void {
    const key = `${kind} ${who}`;
    this.#moves.set(key, { kind, who, count: count + (this.#moves.get(key)?.count ?? 0) });
  }
}

function wasGivenUp({ state }: Cell): boolean {
  return state === "dead" || state === "replayed";
}
