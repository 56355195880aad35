/**
 * The transactional outbox: events that are written in the transaction of what they tell, and stay
 * until the broker has confirmed them. So neither can be without the other, wherever we are killed.
 */
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import { type Queries, type Row, rowsOf } from "../database/database.ts";
import type { Backlog } from "./backlog.ts";

/** An event that waits to be published. */
export interface OutboxRow {
  /** Its place in the order of its user's commits, and of everybody's where there is one writer. */
  readonly position: number;
  readonly eventId: string;
  /** The event as it is published, in JSON. It is never built again. */
  readonly event: string;
}

/** The events of one type, or all but those of some. */
export type OutboxPart = { readonly only: string } | { readonly allBut: readonly string[] };

/** The part that is all there is. */
export const WHOLE: OutboxPart = { allBut: [] };

/** What of the outbox is asked for. */
export interface ClaimRequest {
  /** @default {@link WHOLE} */
  readonly part?: OutboxPart;
  /** Events, at most. */
  readonly limit: number;
  /**
   * Events up to here were tried a moment ago: what failed of them is left alone. An outbox that keeps
   * that in its rows need not look at it. @default 0
   */
  readonly behind?: number;
}

/** What became of the events of a {@link Claim}. Of the others nothing is known: they just stay. */
export interface Settlement {
  /** What the broker has: it leaves the outbox. */
  readonly confirmed: readonly OutboxRow[];
  /** What failed by its own fault: it stays, and is given to nobody for a while. */
  readonly deferred?: readonly OutboxRow[];
  /** That while. @default 0 */
  readonly deferMs?: number;
}

/** Events for one relay alone, until it settles or disposes of them, or until it is gone. */
export interface Claim extends AsyncDisposable {
  /** In the order of their positions. */
  readonly rows: readonly OutboxRow[];
  /**
   * Takes what is confirmed out of the outbox, notes when it was, and gives the rest back. It may be
   * called again where it failed: also when the claim was lost meanwhile, what the broker has leaves
   * the outbox.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: all of it stays.
   */
  settle(settlement: Settlement, now: Date): Promise<void>;
}

/**
 * Keeps each event until it is confirmed.
 *
 * Implementations owe this, whoever works on the same outbox at the same time:
 *
 * - What is appended is committed or taken back with the rest of its transaction.
 * - No event is skipped for good: whatever is committed and not confirmed is claimed at some time, also
 *   when whoever had claimed it is gone.
 * - While one claim holds an event, no other does, unless its holder did not answer for a bounded time.
 */
export interface Outbox {
  /** Called after events were committed here. One listener: the relay. */
  set onAppended(listener: () => void);
  /** Adds `event`, as part of a transaction. */
  append(event: AnyEvent, now: Date): Queries<void>;
  /** To be called once a transaction with {@link append} in it is committed. */
  appended(): void;
  /**
   * The first events that may be published now.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  claim(request: ClaimRequest): Promise<Claim>;
  /**
   * How much waits, and for how long.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  backlog(now: Date): Promise<Backlog>;
}

/** How much waits in the outbox, and for how long: the same in every database. */
export function* backlogQueries(now: Date): Queries<Backlog> {
  const [counted] = yield* rowsOf("SELECT count(*) AS n FROM outbox");
  const [oldest] = yield* rowsOf(
    "SELECT appended_at_ms AS ms FROM outbox ORDER BY position LIMIT 1",
  );
  // n.b. a clock that was set back must not make an age of less than nothing.
  const oldestAgeMs = oldest ? Math.max(0, now.getTime() - Number(oldest.ms)) : 0;
  return { events: Number(counted?.n), oldestAgeMs };
}

/** A row with the columns `position`, `event_id` and `event`. */
export function toOutboxRow(row: Row): OutboxRow {
  return {
    position: Number(row.position),
    eventId: String(row.event_id),
    event: String(row.event),
  };
}
