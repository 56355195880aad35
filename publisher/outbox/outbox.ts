/**
 * The transactional outbox: events that are written in the transaction of what they tell, and stay
 * until the broker has confirmed them. So neither can be without the other, wherever we are killed.
 */
import type { StatementSync } from "node:sqlite";
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import type { Backlog } from "./backlog.ts";

/** An event that waits to be published. */
export interface OutboxRow {
  /** Its place in the order of the commits. */
  readonly position: number;
  readonly eventId: string;
  /** The event as it is published, in JSON. It is never built again. */
  readonly event: string;
}

/** The events of one type, or all but those of some. */
export type OutboxPart = { readonly only: string } | { readonly allBut: readonly string[] };

/**
 * Keeps each event until it is confirmed, in the order in which they were committed. Its table is in
 * `publisher/api/tables.ts`.
 */
export class Outbox {
  readonly #db: SqliteDatabase;
  readonly #announcedTables: readonly string[];
  #onAppended: () => void = () => {};

  /**
   * The outbox in `db`. The rows of `announcedTables` are what its events tell of: they have an
   * `event_id`, and an `announced_at` that is empty as long as the event waits.
   */
  constructor(db: SqliteDatabase, announcedTables: readonly string[]) {
    this.#db = db;
    this.#announcedTables = announcedTables;
  }

  /** Called after events were committed. One listener: the relay. */
  set onAppended(listener: () => void) {
    this.#onAppended = listener;
  }

  /** Adds `event`, as part of the transaction that `work` of a commit is. */
  append(event: AnyEvent, now: Date): void {
    this.#db.statement(
      "INSERT INTO outbox (event_id, event_type, event, appended_at_ms) VALUES (?, ?, ?, ?)",
    ).run(event.event_id, event.event_type, JSON.stringify(event), now.getTime());
  }

  /** To be called once a transaction with {@link append} in it is committed. */
  appended(): void {
    this.#onAppended();
  }

  /**
   * The first events of `part` behind `position`, in order, `limit` of them at most.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  pending(position: number, limit: number, part: OutboxPart = { allBut: [] }): OutboxRow[] {
    const [condition, value] = "only" in part
      ? ["event_type = ?", part.only]
      : ["event_type NOT IN (SELECT value FROM json_each(?))", JSON.stringify(part.allBut)];
    return this.#db.read("Cannot read the outbox", () =>
      this.#db.statement(
        `SELECT position, event_id, event FROM outbox WHERE position > ? AND ${condition}
         ORDER BY position LIMIT ?`,
      ).all(position, value!, limit).map((row) => ({
        position: Number(row.position),
        eventId: String(row.event_id),
        event: String(row.event),
      })));
  }

  /**
   * Notes that the broker has these events: they leave the outbox, and what they tell of counts as
   * announced from `now`. Confirming an event again changes nothing.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was changed.
   */
  async confirm(rows: readonly OutboxRow[], now: Date): Promise<void> {
    const ids = JSON.stringify(rows.map(({ eventId }) => eventId));
    await this.#db.commit(() => {
      for (const table of this.#announcedTables) {
        this.#db.statement(
          `UPDATE ${table} SET announced_at = ?
           WHERE event_id IN (SELECT value FROM json_each(?)) AND announced_at IS NULL`,
        ).run(now.toISOString(), ids);
      }
      this.#db.statement("DELETE FROM outbox WHERE event_id IN (SELECT value FROM json_each(?))")
        .run(ids);
    });
  }

  /**
   * How much waits, and for how long.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  backlog(now: Date): Backlog {
    return this.#db.read(
      "Cannot read the outbox",
      () => readBacklog((sql) => this.#db.statement(sql), now),
    );
  }
}

/** How much waits in the outbox of the database that `prepare` reads, and for how long. */
export function readBacklog(prepare: (sql: string) => StatementSync, now: Date): Backlog {
  const events = Number(prepare("SELECT count(*) AS n FROM outbox").get()?.n);
  const oldest = prepare("SELECT appended_at_ms AS ms FROM outbox ORDER BY position LIMIT 1").get();
  // n.b. a clock that was set back must not make an age of less than nothing.
  const oldestAgeMs = oldest ? Math.max(0, now.getTime() - Number(oldest.ms)) : 0;
  return { events, oldestAgeMs };
}
