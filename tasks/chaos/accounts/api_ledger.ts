/**
 * The checker of the users API: compares what its clients were told with what its store and the
 * subscribers' stores hold, user by user. It does nothing: rows in, ledger out.
 */
import { auditEvents, type StoredHoldings, total } from "@ecomarket/testbed/audit/event_audit";
import type { Answer } from "../load/api_load.ts";
import { type Violation, violationsOf } from "./violation.ts";

/** A row of the users' table. */
export interface UserRecord {
  readonly userId: string;
  readonly eventId: string;
  /** Whether the store says that the broker has confirmed the event. */
  readonly isAnnounced: boolean;
}

/** An event that is in the outbox still, and the user of whom it tells. */
export interface WaitingEvent {
  readonly eventId: string;
  readonly userId: string;
}

/** Everything that is written down anywhere. */
export interface ApiBooks {
  readonly answers: readonly Answer[];
  readonly users: readonly UserRecord[];
  readonly outbox: readonly WaitingEvent[];
  readonly subscribers: Readonly<Record<string, StoredHoldings>>;
}

/** The account of a run. Once everything has come to its end, all of it but `waiting` is one number. */
export interface ApiLedger {
  /** Users of which a client was told. */
  readonly answered: number;
  readonly users: number;
  /** Users whose event the broker has confirmed. */
  readonly announced: number;
  /** Events in the outbox. */
  readonly waiting: number;
  /** Effects of each subscriber. */
  readonly effects: Readonly<Record<string, number>>;
}

/** Something that must not be. The {@link Violation.ids} of a user without event are users. */
export type ApiViolation = Violation<
  | "answered, not registered"
  | "registered, not answered"
  | "user without event"
  | "event without user"
  | "announced, and in the outbox"
  | "event not published"
>;

/** An {@link ApiLedger}, and everything in it that must not be. */
export interface ApiAudit {
  readonly ledger: ApiLedger;
  readonly violations: readonly ApiViolation[];
}

/** Audits a run that has come to its end: nothing is under way any more. */
export function auditApi(books: ApiBooks): ApiAudit {
  const { answers, users, outbox, subscribers } = books;
  const effects = Object.entries(subscribers).map(([name, rows]) => [name, total(rows.effects)]);
  return {
    ledger: {
      answered: answers.length,
      users: users.length,
      announced: users.filter(({ isAnnounced }) => isAnnounced).length,
      waiting: outbox.length,
      effects: Object.fromEntries(effects),
    },
    violations: [
      ...auditStore(books).filter(({ ids }) => ids.length > 0),
      ...auditSubscribers(books),
    ],
  };
}

function auditStore({ answers, users, outbox }: ApiBooks): ApiViolation[] {
  const eventOf = new Map(users.map(({ userId, eventId }) => [userId, eventId]));
  const answered = new Set(answers.map(({ userId }) => userId));
  const waiting = new Set(outbox.map(({ eventId }) => eventId));
  const isWithUser = ({ userId, eventId }: WaitingEvent) => eventOf.get(userId) === eventId;
  return [
    {
      kind: "answered, not registered",
      ids: answers.filter((answer) => !isWithUser(answer)).map(({ eventId }) => eventId),
    },
    {
      kind: "registered, not answered",
      ids: users.filter(({ userId }) => !answered.has(userId)).map(({ eventId }) => eventId),
    },
    {
      kind: "user without event",
      ids: users.filter(({ eventId, isAnnounced }) => !isAnnounced && !waiting.has(eventId))
        .map(({ userId }) => userId),
    },
    {
      kind: "event without user",
      ids: outbox.filter((event) => !isWithUser(event)).map(({ eventId }) => eventId),
    },
    {
      kind: "announced, and in the outbox",
      ids: users.filter(({ eventId, isAnnounced }) => isAnnounced && waiting.has(eventId))
        .map(({ eventId }) => eventId),
    },
    { kind: "event not published", ids: [...waiting] },
  ];
}

/** n.b. what is in the outbox still is not lost. */
function auditSubscribers({ users, outbox, subscribers }: ApiBooks): ApiViolation[] {
  const ids = users.map(({ eventId }) => eventId);
  const claimed = new Set(ids);
  for (const { eventId } of outbox) claimed.delete(eventId);
  return Object.entries(subscribers).flatMap(([name, holdings]) =>
    violationsOf(name, auditEvents({ ids, claimed }, holdings))
  );
}
