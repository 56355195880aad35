/**
 * The checker: compares what the publisher claims with what the stores hold, event by event. It
 * knows nothing of how either works, and does nothing: rows in, ledger out.
 */
import { parseFailurePlan } from "@ecomarket/shared/contract/simulated_failure";
import type { JournalEntry } from "../load/journal.ts";

/** What one subscriber has to show. */
export interface SubscriberRows {
  /** How often each event had its effect. */
  readonly effects: ReadonlyMap<string, number>;
  /** How often each event was archived as a dead letter of this subscriber. */
  readonly deadLetters: ReadonlyMap<string, number>;
  /** Deliveries that were recognised as done already. */
  readonly duplicateDeliveries: number;
}

/** The account of one subscriber. */
export interface SubscriberLedger {
  /** Events that reached an end here: an effect, or a dead letter. */
  readonly delivered: number;
  readonly effects: number;
  readonly duplicateDeliveries: number;
  /** Effects beyond the first of an event. Must be 0. */
  readonly duplicateEffects: number;
  /** Events that ended as dead letters. */
  readonly deadLettered: number;
  /** Events that the publisher was told are safe, and that reached no end. Must be 0. */
  readonly lost: number;
}

/** The account of a run. */
export interface Ledger {
  readonly attempted: number;
  readonly confirmed: number;
  readonly returned: number;
  readonly nacked: number;
  /** Events of which the publisher did not know, at some time, whether the broker had them. */
  readonly ambiguous: number;
  /** Ambiguous events that every subscriber has seen in the end. */
  readonly recovered: number;
  readonly subscribers: Readonly<Record<string, SubscriberLedger>>;
}

/** Something that must not be, and the events with which it is. */
export interface Violation {
  readonly subscriber: string;
  readonly kind:
    | "lost"
    | "duplicate effect"
    | "phantom"
    | "innocent dead letter"
    | "doomed but not dead-lettered";
  readonly eventIds: readonly string[];
}

/** A {@link Ledger}, and everything in it that must not be. */
export interface Audit {
  readonly ledger: Ledger;
  readonly violations: readonly Violation[];
}

/** Audits a run. An event is claimed when the publisher was told, or could only hope, that it is safe. */
export function audit(
  journal: readonly JournalEntry[],
  subscribers: Readonly<Record<string, SubscriberRows>>,
): Audit {
  const violations: Violation[] = [];
  const accounts: Record<string, SubscriberLedger> = {};
  for (const [subscriber, rows] of Object.entries(subscribers)) {
    const found = auditSubscriber(journal, subscriber, rows);
    for (const [kind, eventIds] of Object.entries(found) as [Violation["kind"], string[]][]) {
      if (eventIds.length > 0) violations.push({ subscriber, kind, eventIds });
    }
    accounts[subscriber] = account(journal, rows, found.lost.length);
  }
  const seen = (id: string) => Object.values(subscribers).every((rows) => hasSeen(rows, id));
  const inDoubt = journal.filter(({ wasInDoubt, outcome }) => wasInDoubt || outcome === "pending");
  return {
    violations,
    ledger: {
      attempted: journal.length,
      confirmed: count(journal, "confirmed"),
      returned: count(journal, "returned"),
      nacked: count(journal, "nacked"),
      ambiguous: inDoubt.length,
      recovered: inDoubt.filter(({ eventId }) => seen(eventId)).length,
      subscribers: accounts,
    },
  };
}

function account(
  journal: readonly JournalEntry[],
  rows: SubscriberRows,
  lost: number,
): SubscriberLedger {
  const effects = [...rows.effects.values()];
  return {
    delivered: journal.filter(({ eventId }) => hasSeen(rows, eventId)).length,
    effects: effects.reduce((sum, times) => sum + times, 0),
    duplicateDeliveries: rows.duplicateDeliveries,
    duplicateEffects: effects.reduce((sum, times) => sum + times - 1, 0),
    deadLettered: rows.deadLetters.size,
    lost,
  };
}

function auditSubscriber(
  journal: readonly JournalEntry[],
  subscriber: string,
  rows: SubscriberRows,
): Record<Violation["kind"], string[]> {
  const known = new Set(journal.map(({ eventId }) => eventId));
  const doomed = new Set(
    journal.filter(({ fail }) => isDoomed(fail, subscriber)).map(({ eventId }) => eventId),
  );
  const claimed = journal
    .filter(({ outcome }) => outcome === "confirmed" || outcome === "sent")
    .map(({ eventId }) => eventId);
  return {
    lost: claimed.filter((id) => !hasSeen(rows, id)),
    "duplicate effect": [...rows.effects].filter(([, times]) => times > 1).map(([id]) => id),
    phantom: [...new Set([...rows.effects.keys(), ...rows.deadLetters.keys()])]
      .filter((id) => !known.has(id)),
    "innocent dead letter": [...rows.deadLetters.keys()]
      .filter((id) => known.has(id) && !doomed.has(id)),
    "doomed but not dead-lettered": claimed
      .filter((id) => doomed.has(id) && hasSeen(rows, id) && !rows.deadLetters.has(id)),
  };
}

/** Whether an event asks `subscriber` to fail for ever, or to die each time. */
function isDoomed(fail: string, subscriber: string): boolean {
  if (fail === "") return false;
  const asked = parseFailurePlan(fail).get(subscriber);
  return asked === "always" || asked === "crash";
}

function hasSeen({ effects, deadLetters }: SubscriberRows, eventId: string): boolean {
  return effects.has(eventId) || deadLetters.has(eventId);
}

function count(journal: readonly JournalEntry[], outcome: JournalEntry["outcome"]): number {
  return journal.filter((entry) => entry.outcome === outcome).length;
}
