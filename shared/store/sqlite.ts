/**
 * SQLite as every store here uses it: what was committed is on the disk, commits that arrive
 * together share one transaction, and a fault of the disk is told from a fault of the statement.
 */
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { messageOf, StoreUnavailableError } from "../base/errors.ts";
import { closeToOthers, makePrivateFile, makePrivateFolder } from "./private_files.ts";

/**
 * A store's tables, as steps of one statement each that are applied once, in order. Append; never
 * change one.
 */
export type Migrations = readonly string[];

/** The name of the database file in a data folder. */
export const DATABASE_FILE = "store.sqlite";

/** Commits that share one transaction, at most. */
const MAX_GROUP = 500;

/** How long a store that another process is opening is waited for, in milliseconds. */
const OPEN_TIMEOUT_MS = 5_000;

/** The primary result code of a database that another process has locked. */
const BUSY = 5;

/**
 * Primary result codes (https://www.sqlite.org/rescode.html) that speak of the disk, the file or
 * another process, and not of the statement: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT,
 * FULL, CANTOPEN, PROTOCOL, NOTADB.
 */
const STORE_FAULTS = new Set([3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** One row, for {@link SqliteDatabase.checkWritable}. Not a migration: stores of before have it, or not. */
const WRITE_CHECKS = `CREATE TABLE IF NOT EXISTS write_checks (
  id INTEGER PRIMARY KEY CHECK (id = 1), checked_at TEXT NOT NULL) STRICT`;

/** How {@link SqliteDatabase.open} opens. */
export interface OpenOptions {
  /**
   * Looks at the database before its migrations, in their transaction: if it throws, nothing is changed.
   */
  readonly admit?: (db: DatabaseSync) => void;
  /**
   * How long a commit waits for another process, with the event loop standing still, before it is a
   * {@link StoreUnavailableError}. @default 50
   */
  readonly busyTimeoutMs?: number;
}

interface Commit {
  /** Does its part of the transaction, and returns what settles its promise once that is on the disk. */
  readonly apply: () => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The database in `directory/store.sqlite`. WAL with `synchronous=FULL`: every commit is on the disk
 * before it is acknowledged. Commits that arrive while the event loop turns once are grouped, so that
 * a hundred of them cost one fsync.
 */
export class SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #queue: Commit[] = [];
  #flushScheduled = false;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * Opens the database, creating the folder, the file and the tables where they are missing. Only the
   * user who runs this may read them.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   * @throws whatever {@link OpenOptions.admit} throws.
   */
  static open(
    directory: string,
    migrations: Migrations,
    { admit = () => {}, busyTimeoutMs = 50 }: OpenOptions = {},
  ): SqliteDatabase {
    const path = join(directory, DATABASE_FILE);
    return asStoreFault(`Cannot open the store ${path}`, () => {
      makePrivateFolder(directory);
      makePrivateFile(path);
      for (const companion of ["-wal", "-shm"]) closeToOthers(`${path}${companion}`);
      const db = openFile(path);
      try {
        // Two processes of one role may open it at once: let one wait for the other here. Later
        // nobody waits: a busy store is a StoreUnavailableError, which is waited out without stopping
        // the event loop.
        run(db, `PRAGMA busy_timeout = ${OPEN_TIMEOUT_MS}`);
        // n.b. of use to a new file only: without it, the pages of what is deleted never leave the file.
        run(db, "PRAGMA auto_vacuum = INCREMENTAL");
        // What is deleted holds names and addresses: it is overwritten where that costs no further page.
        run(db, "PRAGMA secure_delete = FAST");
        turnWalOn(db);
        run(db, "PRAGMA synchronous = FULL");
        run(db, "PRAGMA fullfsync = ON"); // macOS: plain fsync() leaves the data in the drive's cache.
        migrate(db, migrations, admit);
        run(db, `PRAGMA busy_timeout = ${busyTimeoutMs}`);
      } catch (error) {
        db.close();
        throw error;
      }
      return new SqliteDatabase(db);
    });
  }

  /** `sql`, prepared once. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  /**
   * What `query` returns. `what` names it where it fails, such as `Cannot read the inbox`.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  read<T>(what: string, query: () => T): T {
    return asStoreFault(what, query);
  }

  /** As {@link read}, for several queries: they see the same state of the database. */
  readTogether<T>(what: string, queries: () => T): T {
    return asStoreFault(what, () => this.#inTransaction("BEGIN", queries));
  }

  /**
   * Runs `work`, which is synchronous, in a transaction that it shares with other commits that are
   * waiting, and resolves with what it returned once that is on the disk. Where `work` throws, what it
   * did is taken back, and nothing of the others. It may be called again, after what it did was taken
   * back because of another one: so it does nothing that is not in the transaction.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was committed.
   * @throws whatever `work` throws: nothing of it was committed.
   */
  commit<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const apply = () => {
      const result = work();
      return () => resolve(result);
    };
    this.#queue.push({ apply, reject });
    this.#scheduleFlush();
    return promise;
  }

  /**
   * Writes to the disk, and changes nothing that anybody reads.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  async checkWritable(): Promise<void> {
    // n.b. SQLite writes no page that would stay the same: so a time is what is written.
    await this.commit(() =>
      this.statement("INSERT OR REPLACE INTO write_checks VALUES (1, ?)")
        .run(new Date().toISOString())
    );
  }

  /** Commits what waits, then closes the file. */
  close(): void {
    while (this.#queue.length > 0) this.#flush();
    this.#db.close();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    const group = this.#queue.splice(0, MAX_GROUP);
    if (this.#queue.length > 0) this.#scheduleFlush();
    if (group.length === 0) return;
    try {
      const settlements = asStoreFault("Cannot commit", () => this.#transaction(group));
      for (const settle of settlements) settle();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /**
   * One transaction for the whole group; a commit that fails takes only itself back. n.b. hardly any
   * ever does: so it is tried without a savepoint for each first, which takes half of the time.
   */
  #transaction(group: readonly Commit[]): (() => void)[] {
    try {
      return this.#inTransaction("BEGIN IMMEDIATE", () => group.map(({ apply }) => apply()));
    } catch (error) {
      if (isStoreFault(error)) throw error;
      return this.#inTransaction(
        "BEGIN IMMEDIATE",
        () => group.map((commit) => this.#applyAlone(commit)),
      );
    }
  }

  #inTransaction<T>(begin: "BEGIN" | "BEGIN IMMEDIATE", work: () => T): T {
    this.#run(begin);
    try {
      const result = work();
      this.#run("COMMIT");
      return result;
    } catch (error) {
      // n.b. SQLite has rolled back by itself after some faults, and refuses a second time.
      if (this.#db.isTransaction) this.#run("ROLLBACK");
      throw error;
    }
  }

  #applyAlone({ apply, reject }: Commit): () => void {
    this.#run("SAVEPOINT one");
    try {
      const settle = apply();
      this.#run("RELEASE one");
      return settle;
    } catch (error) {
      if (isStoreFault(error)) throw error;
      this.#run("ROLLBACK TO one");
      this.#run("RELEASE one");
      return () => reject(error);
    }
  }

  #run(sql: string): void {
    this.statement(sql).run();
  }
}

/**
 * Opens the database in `directory` for reading only, or `undefined` where there is none yet.
 *
 * @throws {StoreUnavailableError} when it cannot be read, for instance by another user than its owner.
 */
export function openForReading(directory: string): DatabaseSync | undefined {
  const path = join(directory, DATABASE_FILE);
  return asStoreFault(`Cannot read ${path}`, () => {
    try {
      Deno.statSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      const advice = "a store is for the user that runs its consumer: run this as that user";
      throw new StoreUnavailableError(`${messageOf(error)}; ${advice}`, { cause: error });
    }
    return openFile(path, { readOnly: true });
  });
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

/**
 * n.b. SQLite asks no busy handler here: of two processes that make one store at once, the second
 * would fail although the first needs a few milliseconds only.
 */
function turnWalOn(db: DatabaseSync): void {
  const deadline = performance.now() + OPEN_TIMEOUT_MS;
  for (;;) {
    try {
      return run(db, "PRAGMA journal_mode = WAL");
    } catch (error) {
      if (primaryCode(error) !== BUSY || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function migrate(
  db: DatabaseSync,
  migrations: Migrations,
  admit: (db: DatabaseSync) => void,
): void {
  run(db, "BEGIN IMMEDIATE");
  try {
    admit(db);
    const row = db.prepare("PRAGMA user_version").get();
    const applied = Number(row?.user_version);
    for (const sql of migrations.slice(applied)) run(db, sql);
    run(db, WRITE_CHECKS);
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
  // n.b. some faults of the system have no class of their own: EROFS, ENOSPC (Deno 2.9).
  const name = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof name === "string" && /^E[A-Z]+$/.test(name)) return true;
  const code = primaryCode(error);
  return code !== undefined && STORE_FAULTS.has(code);
}

/** SQLite's result code in its low byte, without the detail in the others. */
function primaryCode(error: unknown): number | undefined {
  const code = error instanceof Error ? (error as { errcode?: unknown }).errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}
