/**
 * The checker of the publisher: compares what it claims with what the stores hold, event by event. It
 * knows nothing of how either works, and does nothing: rows in, ledger out.
 */
import { parseFailurePlan } from "@ecomarket/shared/contract/simulated_failure";
import {
  auditEvents,
  type EventAudit,
  placeOf,
  type StoredHoldings,
  total,
} from "@ecomarket/testbed/audit/event_audit";
import type { JournalEntry } from "../load/journal.ts";
import { type Violation, violationsOf } from "./violation.ts";

/** What one subscriber has to show. */
export interface SubscriberRows extends StoredHoldings {
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
  const idsOf = (isSo: (entry: JournalEntry) => boolean) =>
    journal.filter(isSo).map(({ eventId }) => eventId);
  const ids = idsOf(() => true);
  const claimed = new Set(idsOf(({ outcome }) => outcome === "confirmed" || outcome === "sent"));
  const audits = Object.entries(subscribers).map(([name, rows]) => {
    const doomed = new Set(idsOf(({ fail }) => isDoomed(fail, name)));
    return { name, rows, found: auditEvents({ ids, claimed, doomed }, rows) };
  });
  const count = (outcome: JournalEntry["outcome"]) => idsOf((it) => it.outcome === outcome).length;
  const inDoubt = idsOf(({ wasInDoubt, outcome }) => wasInDoubt || outcome === "pending");
  return {
    violations: audits.flatMap(({ name, found }) => violationsOf(name, found)),
    ledger: {
      attempted: journal.length,
      confirmed: count("confirmed"),
      returned: count("returned"),
      nacked: count("nacked"),
      ambiguous: inDoubt.length,
      recovered: inDoubt.filter((id) => audits.every(({ found }) => hasEnded(found, id))).length,
      subscribers: Object.fromEntries(
        audits.map(({ name, rows, found }) => [name, account(rows, found)]),
      ),
    },
  };
}

function account(
  { effects, deadLetters, duplicateDeliveries }: SubscriberRows,
  found: EventAudit,
): SubscriberLedger {
  return {
    delivered: [...found.endings.keys()].filter((id) => hasEnded(found, id)).length,
    effects: total(effects),
    duplicateDeliveries,
    duplicateEffects: total(effects) - effects.size,
    deadLettered: deadLetters.size,
    lost: found.lost.length,
  };
}

function hasEnded({ endings }: EventAudit, id: string): boolean {
  return placeOf(endings.get(id)!) !== undefined;
}

/** Whether an event asks `subscriber` to fail for ever, or to die each time. */
function isDoomed(fail: string, subscriber: string): boolean {
  if (fail === "") return false;
  const asked = parseFailurePlan(fail).get(subscriber);
  return asked === "always" || asked === "crash";
}
