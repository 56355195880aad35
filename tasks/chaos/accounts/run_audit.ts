/** The account of a whole run: the publisher's events and those of the users API, each by its checker. */
import type { Answer } from "../load/api_load.ts";
import type { JournalEntry } from "../load/journal.ts";
import { type ApiAudit, type ApiBooks, type ApiViolation, auditApi } from "./api_ledger.ts";
import { type Audit, audit, type SubscriberRows } from "./ledger.ts";
import { explainByPromotion, type LostPrimary } from "./lost_primary.ts";

/** What a whole run has lost or doubled, of the publisher's events and of the users API's. */
export interface RunAudit {
  readonly events: Audit;
  /** Absent where no API ran. */
  readonly usersApi?: ApiAudit;
  /** What is missing because an asynchronous standby was promoted: in no other violation. */
  readonly forgotten?: readonly ApiViolation[];
}

/** What the users API wrote down, and what its clients were told. */
export interface ApiRecords extends Pick<ApiBooks, "users" | "outbox"> {
  readonly answers: readonly Answer[];
}

/**
 * Audits a run. An event belongs to the API where its store knows it, and to the publisher where its
 * journal does; one that neither knows is reported by both.
 *
 * @param lostPrimary given where an asynchronous standby was promoted: what that explains is no violation
 */
export function auditRun(
  journal: readonly JournalEntry[],
  subscribers: Readonly<Record<string, SubscriberRows>>,
  api?: ApiRecords,
  lostPrimary?: LostPrimary,
): RunAudit {
  const found = auditBoth(journal, subscribers, api);
  return lostPrimary ? explained(found, lostPrimary) : found;
}

function auditBoth(
  journal: readonly JournalEntry[],
  subscribers: Readonly<Record<string, SubscriberRows>>,
  api?: ApiRecords,
): RunAudit {
  if (!api) return { events: audit(journal, subscribers) };
  const ofApi = new Set(api.users.map(({ eventId }) => eventId));
  const ofPublisher = new Set(journal.map(({ eventId }) => eventId));
  return {
    events: audit(journal, without(ofApi, subscribers)),
    usersApi: auditApi({ ...api, subscribers: without(ofPublisher, subscribers) }),
  };
}

function explained({ events, usersApi }: RunAudit, lostPrimary: LostPrimary): RunAudit {
  const ofEvents = explainByPromotion(events.violations, lostPrimary);
  const ofApi = usersApi && explainByPromotion(usersApi.violations, lostPrimary);
  return {
    events: { ...events, violations: ofEvents.unexplained },
    ...(usersApi && ofApi ? { usersApi: { ...usersApi, violations: ofApi.unexplained } } : {}),
    forgotten: [...ofEvents.forgotten, ...ofApi?.forgotten ?? []],
  };
}

/** Everything that either checker has found. */
export function violations({ events, usersApi }: RunAudit): readonly ApiViolation[] {
  return [...events.violations, ...usersApi?.violations ?? []];
}

/** Whether neither checker has found anything that must not be. */
export function isClean(audit: RunAudit): boolean {
  return violations(audit).length === 0;
}

function without(
  ids: ReadonlySet<string>,
  subscribers: Readonly<Record<string, SubscriberRows>>,
): Record<string, SubscriberRows> {
  const rest = (rows: ReadonlyMap<string, number>) =>
    new Map([...rows].filter(([id]) => !ids.has(id)));
  return Object.fromEntries(
    Object.entries(subscribers).map(([name, rows]) => [name, {
      ...rows,
      effects: rest(rows.effects),
      deadLetters: rest(rows.deadLetters),
    }]),
  );
}
