/** The {@link Store} on one machine: SQLite, in the runtime already. */
import type { DatabaseSync } from "node:sqlite";
import { createPauses, type Pause, writePause } from "./pauses.ts";
import { type OpenOptions, SqliteDatabase } from "./sqlite.ts";
import {
  type Effect,
  type Forgotten,
  sqlFor,
  type SqlValue,
  type Store,
  type StoreMigrations,
} from "./store.ts";
import { claimStore, type StoreOwner } from "./store_owner.ts";

const INBOX =
  `CREATE TABLE inbox (event_id TEXT PRIMARY KEY, processed_at TEXT NOT NULL) WITHOUT ROWID, STRICT`;

/**
 * The database below the store of `owner`, with the same tables: for who works with a subscriber's data
 * beside the subscriber.
 *
 * @throws as {@link SqliteStore.open}.
 */
export function openStoreDatabase(
  directory: string,
  owner: StoreOwner,
  migrations: StoreMigrations,
  options: OpenOptions = {},
): SqliteDatabase {
  const admit = (db: DatabaseSync) => {
    claimStore(db, directory, owner);
    createPauses(db);
  };
  const own = migrations.map((sql) => sqlFor("sqlite", sql));
  return SqliteDatabase.open(directory, [INBOX, ...own], { ...options, admit });
}

interface Question {
  readonly eventId: string;
  readonly resolve: (isKnown: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** A subscriber's tables and its inbox in `directory/store.sqlite`. See {@link SqliteDatabase}. */
export class SqliteStore implements Store {
  readonly #db: SqliteDatabase;
  /** Questions of {@link has} that came while the code that runs now did: they are answered together. */
  #asked: Question[] = [];

  private constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /**
   * Opens the store of `owner`, creating the folder, the file and the tables where they are missing.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   * @throws {StoreOwnerError} when it belongs to another subscriber, or to another queue's.
   */
  static open(directory: string, owner: StoreOwner, migrations: StoreMigrations): SqliteStore {
    return new SqliteStore(openStoreDatabase(directory, owner, migrations));
  }

  has(eventId: string): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    if (this.#asked.push({ eventId, resolve, reject }) === 1) queueMicrotask(() => this.#answer());
    return promise;
  }

  /** n.b. outside of a transaction each question would lock and unlock the file, which takes longer than the look. */
  #answer(): void {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const answers = this.#db.readTogether(
        "Cannot read the inbox",
        () =>
          asked.map(({ eventId }) =>
            this.#db.statement("SELECT 1 FROM inbox WHERE event_id = ?").get(eventId) !== undefined
          ),
      );
      asked.forEach(({ resolve }, n) => resolve(answers[n]!));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  commit(eventId: string, effect: Effect): Promise<"committed" | "duplicate"> {
    return this.#db.commit(() => {
      const { changes } = this.#db.statement(
        "INSERT INTO inbox (event_id, processed_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
      ).run(eventId, new Date().toISOString());
      if (Number(changes) === 0) return "duplicate";
      for (const { sql, params } of effect) {
        this.#db.statement(sqlFor("sqlite", sql)).run(
          ...(params as (SqlValue & (string | number | bigint | null))[]),
        );
      }
      return "committed";
    });
  }

  checkWritable(): Promise<void> {
    return this.#db.checkWritable();
  }

  notePause(pause: Pause | undefined): Promise<void> {
    return this.#db.commit(() => writePause((sql) => this.#db.statement(sql), pause));
  }

  async forget(before: Date, position: string, limit: number): Promise<Forgotten> {
    const part = this.#db.read("Cannot read the inbox", () =>
      this.#db.statement(
        "SELECT event_id, processed_at FROM inbox WHERE event_id > ? ORDER BY event_id LIMIT ?",
      ).all(position, limit));
    const next = part.length < limit ? undefined : String(part.at(-1)!.event_id);
    const limitTime = before.toISOString();
    const old = part.filter((row) => String(row.processed_at) < limitTime);
    // n.b. nothing is written where nothing is old: whoever commits events is not made to wait.
    if (old.length === 0) return { removed: 0, next };
    await this.#db.commit(() => {
      for (const { event_id } of old) {
        this.#db.statement("DELETE FROM inbox WHERE event_id = ?").run(event_id!);
      }
    });
    return { removed: old.length, next };
  }

  // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
  async close(): Promise<void> {
    this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
