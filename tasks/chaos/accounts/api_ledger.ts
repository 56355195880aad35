/**
 * The checker of the users API: compares what its clients were told with what its store and the
 * subscribers' stores hold, user by user. It does nothing: rows in, ledger out.
 */
import type { Answer } from "../load/api_load.ts";
import type { SubscriberRows } from "./ledger.ts";

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
  readonly subscribers: Readonly<
    Record<string, Pick<SubscriberRows, "effects" | "deadLetters">>
  >;
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

/** Something that must not be, and the users or events with which it is. */
export interface ApiViolation {
  readonly kind:
    | "answered, not registered"
    | "registered, not answered"
    | "user without event"
    | "event without user"
    | "announced, and in the outbox"
    | "event not published"
    | "lost"
    | "doubled effect"
    | "dead letter";
  /** Whose it is; absent where it is the API's own. */
  readonly subscriber?: string;
  /** Of the events; of the users, where there is no event. */
  readonly ids: readonly string[];
}

/** An {@link ApiLedger}, and everything in it that must not be. */
export interface ApiAudit {
  readonly ledger: ApiLedger;
  readonly violations: readonly ApiViolation[];
}

/** Audits a run that has come to its end: nothing is under way any more. */
export function auditApi(books: ApiBooks): ApiAudit {
  const { answers, users, outbox, subscribers } = books;
  const effects = Object.entries(subscribers).map(([name, rows]) => [name, sum(rows.effects)]);
  return {
    ledger: {
      answered: answers.length,
      users: users.length,
      announced: users.filter(({ isAnnounced }) => isAnnounced).length,
      waiting: outbox.length,
      effects: Object.fromEntries(effects),
    },
    violations: [...auditStore(books), ...auditSubscribers(books)]
      .filter(({ ids }) => ids.length > 0),
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

function auditSubscribers({ users, outbox, subscribers }: ApiBooks): ApiViolation[] {
  const known = new Set(users.map(({ eventId }) => eventId));
  const waiting = new Set(outbox.map(({ eventId }) => eventId));
  return Object.entries(subscribers).flatMap(([subscriber, { effects, deadLetters }]) => {
    const seen = [...new Set([...effects.keys(), ...deadLetters.keys()])];
    const twice = [...effects].filter(([, times]) => times > 1);
    const violations: ApiViolation[] = [
      {
        kind: "lost",
        ids: [...known].filter((id) => !waiting.has(id) && !effects.has(id)),
      },
      { kind: "doubled effect", ids: twice.map(([id]) => id) },
      { kind: "event without user", ids: seen.filter((id) => !known.has(id)) },
      { kind: "dead letter", ids: [...deadLetters.keys()].filter((id) => known.has(id)) },
    ];
    return violations.map((violation) => ({ ...violation, subscriber }));
  });
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, times) => total + times, 0);
}
