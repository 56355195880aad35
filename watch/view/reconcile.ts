/** Whether what was published is all somewhere: judged from counts, without looking at anything. */
import type { Account, Verdict } from "./view.ts";

/** What is known of one subscriber. */
export interface Tally {
  readonly published: number;
  readonly effects: number;
  readonly deadLetters: number;
  /** Events with more than one effect. */
  readonly doubled: readonly string[];
  /** Some of the events with neither effect nor dead letter, the oldest first. */
  readonly open: readonly string[];
}

/** What the broker says of one subscriber; `undefined` while it does not answer. */
export type Held = number | undefined;

/**
 * For how long the broker may seem to hold less than is missing before that counts as a loss, in
 * milliseconds: its figures of what is in the hands of consumers are up to five seconds old
 * (https://www.rabbitmq.com/docs/management#statistics-interval), and a dead letter is on its way to
 * the archive in none of them.
 */
export const SHORTFALL_PATIENCE_MS = 15_000;

/**
 * The account of one subscriber. `shortForMs` is for how long without a break the broker has held less
 * than is missing.
 *
 * | what is found                                | verdict    |
 * | -------------------------------------------- | ---------- |
 * | an event with two effects                    | `doubled`  |
 * | nothing is missing                           | `settled`  |
 * | the broker does not answer                   | `unknown`  |
 * | the broker holds as much as is missing       | `waiting`  |
 * | it holds less, for a moment                  | `counting` |
 * | it holds less, for longer than figures lag   | `nowhere`  |
 *
 * n.b. a broker may hold more: copies of a message in doubt, and events of before the page was opened.
 */
export function reconcile(tally: Tally, held: Held, shortForMs: number): Account {
  const { published, effects, deadLetters } = tally;
  const waiting = published - effects - deadLetters;
  const verdict = judge(tally, waiting, held, shortForMs);
  return { published, effects, deadLetters, waiting, held, verdict };
}

function judge(tally: Tally, waiting: number, held: Held, shortForMs: number): Verdict {
  if (tally.doubled.length > 0) return { kind: "doubled", ids: tally.doubled };
  if (waiting === 0) return { kind: "settled" };
  if (held === undefined) return { kind: "unknown" };
  if (held >= waiting) return { kind: "waiting" };
  if (shortForMs < SHORTFALL_PATIENCE_MS) return { kind: "counting" };
  return { kind: "nowhere", count: waiting - held, ids: tally.open };
}
