/**
 * What happened to those events that have a row: a bounded number of them, for a person to look at.
 * Nothing is counted here: see `ledger.ts`.
 */
import { chooseRows } from "../view/sampling.ts";
import type { Cell, EventRow, Step, Story } from "../view/view.ts";
import type { Wish } from "./ledger.ts";

/** Stories that are kept. */
const MAX_STORIES = 1_000;
/** Steps of one story that are kept: one that fails for ever and is sent back for ever has no end. */
const MAX_STEPS = 100;

/** What an event is, before anything happens to it. */
export interface Beginning {
  readonly id: string;
  readonly type: string;
  readonly label: string;
  readonly at: number;
  readonly exchange: string;
  readonly publishing: EventRow["publishing"];
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly body: string | undefined;
}

interface Told extends Omit<Beginning, "publishing"> {
  publishing: EventRow["publishing"];
  readonly cells: Record<string, Cell>;
  readonly steps: Step[];
}

/** A step, of which only what it has need be given. */
export type NewStep = Pick<Step, "at" | "who" | "kind"> & Partial<Step>;

/** The stories, in the order in which they began. */
export class Stories {
  readonly #told = new Map<string, Told>();
  readonly #wishes: readonly Wish[];

  constructor(wishes: readonly Wish[]) {
    this.#wishes = wishes;
  }

  has(id: string): boolean {
    return this.#told.has(id);
  }

  /** Begins a story, where there is none yet. */
  begin(beginning: Beginning): void {
    if (this.has(beginning.id)) return;
    const cells: Record<string, Cell> = Object.fromEntries(
      this.#wishes.map(({ name, exchanges }) => {
        const state = exchanges.includes(beginning.exchange) ? "waiting" : "none";
        return [name, { state }];
      }),
    );
    this.#told.set(beginning.id, { ...beginning, cells, steps: [] });
    this.#forget();
  }

  /** Adds what is known of the message, once somebody has seen it pass. */
  recognise(id: string, message: Pick<Beginning, "headers" | "body">): void {
    const told = this.#told.get(id);
    if (told && told.body === undefined) Object.assign(told, message);
  }

  /** What the publisher was told of it. */
  publishing(id: string, state: EventRow["publishing"]): void {
    const told = this.#told.get(id);
    if (told) told.publishing = state;
  }

  /** Adds a step. */
  step(id: string, step: NewStep): void {
    const told = this.#told.get(id);
    if (!told) return;
    told.steps.push({
      attempt: undefined,
      delayMs: undefined,
      detail: undefined,
      headers: undefined,
      ...step,
    });
    if (told.steps.length > MAX_STEPS) told.steps.splice(1, 1);
  }

  cellOf(id: string, subscriber: string): Cell | undefined {
    return this.#told.get(id)?.cells[subscriber];
  }

  /** What becomes of it at `subscriber` now. */
  cell(id: string, subscriber: string, cell: Cell): void {
    const told = this.#told.get(id);
    if (told && subscriber in told.cells) told.cells[subscriber] = cell;
  }

  /** The rows that a page shows. */
  rows(): EventRow[] {
    return chooseRows([...this.#told.values()], isTroubled).map((
      { id, type, label, at, publishing, cells },
    ) => ({ id, type, label, at, publishing, cells: { ...cells } }));
  }

  /** How many events have a story, of those that were published since the beginning. */
  get size(): number {
    return this.#told.size;
  }

  /** The whole story of `id`, for who reads it; `undefined` where it has none. */
  story(id: string): Story | undefined {
    const told = this.#told.get(id);
    if (!told) return undefined;
    const { type, label, publishing, headers, body } = told;
    const steps = told.steps.toSorted((one, other) => one.at - other.at);
    return { id, type, label, publishing, headers, body, steps };
  }

  /** Forgets the oldest one, first of those that nothing is wrong with. */
  #forget(): void {
    if (this.#told.size <= MAX_STORIES) return;
    const candidates = this.#told.values().take(MAX_STORIES / 2);
    const victim = candidates.find((told) => !isTroubled(told)) ??
      this.#told.values().next().value!;
    this.#told.delete(victim.id);
  }
}

/** Whether a person may want to look at it. */
function isTroubled({ publishing, cells }: Pick<Told, "publishing" | "cells">): boolean {
  return publishing === "failed" ||
    Object.values(cells).some(({ state }) =>
      state === "retrying" || state === "dead" || state === "replayed"
    );
}
