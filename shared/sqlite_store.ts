/** The {@link Store} on one machine: SQLite, in the runtime already. */
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { messageOf, StoreUnavailableError } from "./errors.ts";
import type { Effect, SqlValue, Store } from "./store.ts";

/**
 * A subscriber's tables, as steps of one statement each that are applied once, in order. Append;
 * never change one.
 */
export type Migrations = readonly string[];

/** The name of the database file in a subscriber's data folder. */
export const DATABASE_FILE = "store.sqlite";

const INBOX =
  `CREATE TABLE inbox (event_id TEXT PRIMARY KEY, processed_at TEXT NOT NULL) WITHOUT ROWID, STRICT`;

/** Commits that share one transaction, at most. */
const MAX_GROUP = 500;

/**
 * Primary result codes (https://www.sqlite.org/rescode.html) that speak of the disk, the file or
 * another process, and not of the statement: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT,
 * FULL, CANTOPEN, PROTOCOL, NOTADB.
 */
const STORE_FAULTS = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

interface Commit {
  readonly eventId: string;
  readonly effect: Effect;
  readonly resolve: (result: "committed" | "duplicate") => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A store in `directory/store.sqlite`. WAL with `synchronous=FULL`: every commit is on the disk
 * before it is acknowledged. Commits that arrive while the event loop turns once are grouped, so that
 * a hundred deliveries cost one fsync.
 */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #queue: Commit[] = [];
  #flushScheduled = false;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * Opens the store, creating the folder, the file and the tables where they are missing.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  static open(directory: string, migrations: Migrations): SqliteStore {
    const path = join(directory, DATABASE_FILE);
    return asStoreFault(`Cannot open the store ${path}`, () => {
      Deno.mkdirSync(directory, { recursive: true });
      const db = openFile(path);
      try {
        // Two processes of one subscriber may open it at once: let one wait for the other here. Later
        // nobody waits: a busy store is a StoreUnavailableError, which the subscriber waits out
        // without stopping its event loop.
        run(db, "PRAGMA busy_timeout = 5000");
        run(db, "PRAGMA journal_mode = WAL");
        run(db, "PRAGMA synchronous = FULL");
        run(db, "PRAGMA fullfsync = ON"); // macOS: plain fsync() leaves the data in the drive's cache.
        migrate(db, [INBOX, ...migrations]);
        run(db, "PRAGMA busy_timeout = 50");
      } catch (error) {
        db.close();
        throw error;
      }
      return new SqliteStore(db);
    });
  }

  // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
  async has(eventId: string): Promise<boolean> {
    return asStoreFault(
      "Cannot read the inbox",
      () => this.#statement("SELECT 1 FROM inbox WHERE event_id = ?").get(eventId) !== undefined,
    );
  }

  commit(eventId: string, effect: Effect): Promise<"committed" | "duplicate"> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ eventId, effect, resolve, reject });
      if (this.#flushScheduled) return;
      this.#flushScheduled = true;
      setTimeout(() => this.#flush(), 0);
    });
  }

  // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
  async close(): Promise<void> {
    while (this.#queue.length > 0) this.#flush();
    this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #flush(): void {
    this.#flushScheduled = false;
    const group = this.#queue.splice(0, MAX_GROUP);
    if (this.#queue.length > 0) {
      this.#flushScheduled = true;
      setTimeout(() => this.#flush(), 0);
    }
    if (group.length === 0) return;
    try {
      const settlements = asStoreFault("Cannot commit", () => this.#transaction(group));
      for (const settle of settlements) settle();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** One transaction for the whole group; an effect that fails takes only itself back. */
  #transaction(group: readonly Commit[]): (() => void)[] {
    this.#run("BEGIN IMMEDIATE");
    try {
      const settlements = group.map((commit) => this.#apply(commit));
      this.#run("COMMIT");
      return settlements;
    } catch (error) {
      // n.b. SQLite has rolled back by itself after some faults, and refuses a second time.
      if (this.#db.isTransaction) this.#run("ROLLBACK");
      throw error;
    }
  }

  #apply({ eventId, effect, resolve, reject }: Commit): () => void {
    this.#run("SAVEPOINT effect");
    try {
      const { changes } = this.#statement(
        "INSERT INTO inbox (event_id, processed_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
      ).run(eventId, new Date().toISOString());
      if (Number(changes) === 1) {
        for (const { sql, params } of effect) {
          this.#statement(sql).run(...(params as (SqlValue & (string | number | bigint | null))[]));
        }
      }
      this.#run("RELEASE effect");
      return () => resolve(Number(changes) === 1 ? "committed" : "duplicate");
    } catch (error) {
      if (isStoreFault(error)) throw error;
      this.#run("ROLLBACK TO effect");
      this.#run("RELEASE effect");
      return () => reject(error);
    }
  }

  #run(sql: string): void {
    this.#statement(sql).run();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }
}

/** Opens a subscriber's database for reading only, or `undefined` where there is none yet. */
export function openForReading(directory: string): DatabaseSync | undefined {
  const path = join(directory, DATABASE_FILE);
  try {
    Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return asStoreFault(`Cannot read ${path}`, () => openFile(path, { readOnly: true }));
}

/** n.b. errors of `exec()` carry no `errcode` in Deno 2.9, those of a prepared statement do. */
function run(db: DatabaseSync, sql: string): void {
  db.prepare(sql).run();
}

/** n.b. what goes wrong here carries no `errcode` in Deno 2.9, and is never a statement's fault. */
function openFile(path: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  try {
    return new DatabaseSync(path, options);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new StoreUnavailableError(messageOf(error), { cause: error });
  }
}

function migrate(db: DatabaseSync, migrations: Migrations): void {
  run(db, "BEGIN IMMEDIATE");
  try {
    const row = db.prepare("PRAGMA user_version").get();
    const applied = Number(row?.user_version);
    for (const sql of migrations.slice(applied)) run(db, sql);
    run(db, `PRAGMA user_version = ${Math.max(applied, migrations.length)}`);
    run(db, "COMMIT");
  } catch (error) {
    if (db.isTransaction) run(db, "ROLLBACK");
    throw error;
  }
}

function asStoreFault<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!isStoreFault(error)) throw error;
    throw new StoreUnavailableError(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

function isStoreFault(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true;
  // The file system or the sandbox said no.
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return true;
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined;
  // The low byte is the primary code; the rest is detail.
  return typeof code === "number" && STORE_FAULTS.has(code & 0xff);
}
