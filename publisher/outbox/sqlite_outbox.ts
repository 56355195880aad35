/**
 * The {@link Outbox} in SQLite, whose one writer makes the positions the order of the commits. One
 * process has the file, and each lane of its relay a part of the outbox, so a claim needs no lock.
 */
import type { DatabaseSync } from "node:sqlite";
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import { type Database, type Queries, rowsOf } from "../database/database.ts";
import { runQueries } from "../database/sqlite_database.ts";
import type { Backlog } from "./backlog.ts";
import {
  backlogQueries,
  type Claim,
  type ClaimRequest,
  type Outbox,
  type OutboxPart,
  type OutboxRow,
  toOutboxRow,
  WHOLE,
} from "./outbox.ts";

/** Its table is in `publisher/api/sqlite_tables.ts`. */
export class SqliteOutbox implements Outbox {
  readonly #db: Database;
  readonly #announcedTables: readonly string[];
  #onAppended: () => void = () => {};

  /**
   * The outbox in `db`. The rows of `announcedTables` are what its events tell of: they have an
   * `event_id`, and an `announced_at` that is empty as long as the event waits.
   */
  constructor(db: Database, announcedTables: readonly string[]) {
    this.#db = db;
    this.#announcedTables = announcedTables;
  }

  set onAppended(listener: () => void) {
    this.#onAppended = listener;
  }

  *append(event: AnyEvent, now: Date): Queries<void> {
    yield* rowsOf(
      "INSERT INTO outbox (event_id, event_type, event, appended_at_ms) VALUES (?, ?, ?, ?)",
      event.event_id,
      event.event_type,
      JSON.stringify(event),
      now.getTime(),
    );
  }

  appended(): void {
    this.#onAppended();
  }

  async claim({ part = WHOLE, limit, behind = 0 }: ClaimRequest): Promise<Claim> {
    const [condition, value] = conditionOf(part);
    const rows = await this.#db.read("Cannot read the outbox", () =>
      rowsOf(
        `SELECT position, event_id, event FROM outbox WHERE position > ? AND ${condition}
         ORDER BY position LIMIT ?`,
        behind,
        value,
        limit,
      ));
    return {
      rows: rows.map(toOutboxRow),
      settle: ({ confirmed }, now) => this.#confirm(confirmed, now),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  /** n.b. confirming an event again changes nothing. */
  async #confirm(rows: readonly OutboxRow[], now: Date): Promise<void> {
    if (rows.length === 0) return;
    const ids = JSON.stringify(rows.map(({ eventId }) => eventId));
    const tables = this.#announcedTables;
    await this.#db.commit(function* () {
      for (const table of tables) {
        yield* rowsOf(
          `UPDATE ${table} SET announced_at = ?
           WHERE event_id IN (SELECT value FROM json_each(?)) AND announced_at IS NULL`,
          now.toISOString(),
          ids,
        );
      }
      yield* rowsOf("DELETE FROM outbox WHERE event_id IN (SELECT value FROM json_each(?))", ids);
    });
  }

  backlog(now: Date): Promise<Backlog> {
    return this.#db.read("Cannot read the outbox", () => backlogQueries(now));
  }
}

/** A condition with one parameter. */
function conditionOf(part: OutboxPart): readonly [condition: string, value: string] {
  return "only" in part
    ? ["event_type = ?", part.only]
    : ["event_type NOT IN (SELECT value FROM json_each(?))", JSON.stringify(part.allBut)];
}

/** What waits in the outbox of `db`, which somebody else works with. */
export function readSqliteBacklog(db: DatabaseSync, now: Date): Backlog {
  return runQueries((sql) => db.prepare(sql), () => backlogQueries(now));
}
