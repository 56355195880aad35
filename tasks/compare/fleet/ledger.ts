/** What became of the signups of one load, out of the answers and the subscribers' stores. */
import { auditEvents } from "@ecomarket/testbed/audit/event_audit";

/** Signups by what they were answered. A signup is its email. */
export interface Answers {
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
}

/** What is wrong between the answers and the stores. */
export interface Ledger {
  /** Answered 201, and at least one subscriber never heard of it. */
  readonly lost: number;
  /** Refused, and at least one subscriber has done its part all the same. */
  readonly orphans: number;
}

/** Compares `answers` with what each subscriber has done. */
export function ledger(answers: Answers, done: readonly ReadonlySet<string>[]): Ledger {
  const { accepted: ids, refused } = answers;
  const audits = done.map((signups) =>
    auditEvents({ ids }, { effects: new Map([...signups].map((signup) => [signup, 1])) })
  );
  const phantoms = new Set(audits.flatMap(({ phantom }) => phantom));
  return {
    lost: new Set(audits.flatMap(({ lost }) => lost)).size,
    orphans: refused.filter((signup) => phantoms.has(signup)).length,
  };
}
