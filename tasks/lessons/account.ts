/** What became of every event of one side of a lesson, and whether the lesson showed what it claims. */
import { auditEvents, type Holdings, placeOf } from "@ecomarket/testbed/audit/event_audit";

/** The end of each event of one side. */
export interface Account {
  readonly attempted: number;
  /** `handled`, `deadLettered` and `waiting` together: somebody can tell where the event is. */
  readonly accountedFor: number;
  /** Had their effect. */
  readonly handled: number;
  readonly deadLettered: number;
  /** Are in the subscriber's queue. */
  readonly waiting: number;
  /** Are nowhere. */
  readonly lost: number;
  /** Had their effect more than once, or wait more than once. */
  readonly doubled: number;
  /** Had an effect that says something else than the event. */
  readonly wrong: number;
  /** How often the broker handed an event out to a consumer. */
  readonly deliveries: number;
}

/** Where events were found, and what else is known of them. */
export interface Findings extends Holdings {
  /** Those whose effect says something else than the event. */
  readonly wrong?: ReadonlySet<string>;
  readonly deliveries?: number;
}

/** The account of the events `attempted`. An event that is in two places counts in the first. */
export function accountOf(attempted: readonly string[], found: Findings): Account {
  const { endings, lost, doubled } = auditEvents({ ids: attempted }, found);
  const places = Map.groupBy(endings.values(), placeOf);
  return {
    attempted: attempted.length,
    accountedFor: attempted.length - lost.length,
    handled: places.get("effects")?.length ?? 0,
    deadLettered: places.get("deadLetters")?.length ?? 0,
    waiting: places.get("waiting")?.length ?? 0,
    lost: lost.length,
    doubled: doubled.length,
    wrong: attempted.filter((id) => found.wrong?.has(id)).length,
    deliveries: found.deliveries ?? 0,
  };
}

/** What the side before has, and the side after has not. */
export type Harm = "lost" | "doubled" | "waiting" | "wrong";

/** Both sides of a lesson. */
export interface Sides {
  readonly before: Account;
  readonly after: Account;
}

/** Why the lesson did not show what it claims: empty when it did. */
export function problemsOf({ before, after }: Sides, harm: Harm): string[] {
  const problems: string[] = [];
  if (before[harm] === 0) problems.push(`before: nothing was ${harm}, and the lesson says it is`);
  for (const bad of new Set([harm, "lost", "doubled", "wrong"] as const)) {
    if (after[bad] > 0) problems.push(`after: ${after[bad]} ${bad}, and the lesson says none is`);
  }
  return problems;
}
