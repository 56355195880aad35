/**
 * PostgreSQL as every store here uses it: transactions that are done whole or not at all, in a schema
 * of one owner, and a fault of the server told from a fault of the statement.
 *
 * Nothing here needs a session: schema, locks and time limits are those of a transaction, so that a
 * pooler in transaction mode may stand between.
 */
import { setTimeout as delay } from "node:timers/promises";
import { jitteredDelayMs } from "../../base/backoff.ts";
import { ConfigError } from "../../base/errors.ts";
import { type DatabaseAddress, showDatabase } from "../../process/database_url.ts";
import type { SqlValue } from "../store.ts";
import { ConnectionPool, type PoolOptions } from "./connection_pool.ts";
import type { Answer, PostgresConnection } from "./postgres_connection.ts";
import { asStoreError, faultOf } from "./postgres_errors.ts";
import { quoteName, quoteText, withNumberedParameters } from "./sql_text.ts";

/** What {@link PostgresDatabase.open} is given. */
export interface DatabaseOptions extends Partial<PoolOptions> {
  /** Also the name of its schema. Owners share a database, and no tables. */
  readonly name: string;
  /** Its tables, as steps of one statement each that are applied once, in order. Append; never change one. */
  readonly migrations: readonly string[];
  /** Looks at the schema before its migrations, in their transaction: if it throws, nothing is changed. */
  readonly admit?: (transaction: Transaction) => Promise<void>;
}

/** How one transaction is done. */
export interface TransactionOptions {
  /**
   * One after the other: whoever gives the same name waits for those before it to end, whatever
   * process it is. Then a statement sees all that they have committed. @default with others
   */
  readonly alone?: string;
  /**
   * @default "read committed": each statement sees what is committed when it begins
   */
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  /** How long a lock is waited for, in milliseconds. @default 5_000 */
  readonly lockTimeoutMs?: number;
}

/** What a transaction may do. Names without a schema are those of the owner's. */
export interface Transaction {
  /**
   * Runs `sql`, with a `?` for each parameter. Statements that are begun without waiting for each other
   * are sent together, and done in order; after one that failed, the rest of the transaction fails. One
   * that nobody waits for is done before the commit, and its failure is the transaction's.
   */
  query(sql: string, params?: readonly SqlValue[]): Promise<Answer>;
  /**
   * What `work` gives. Where it, or a statement of it, fails, what it did is taken back, and the rest of
   * the transaction goes on.
   *
   * @throws what `work` throws, and what a statement of it failed with.
   */
  part<T>(work: () => Promise<T>): Promise<T>;
}

/** How often transactions that met are tried, before the store counts as unavailable. */
const MAX_ATTEMPTS = 8;
/** How long they keep out of each other's way. */
const CONFLICT_PACE = { firstMs: 5, maxMs: 200 };
/** How long one statement may take, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 20_000;
/** How long a transaction of a client that is frozen holds its locks, in milliseconds. */
const IDLE_TIMEOUT_MS = 10_000;
/** How long the instances that start at once wait for the one that migrates, in milliseconds. */
const MIGRATION_LOCK_TIMEOUT_MS = 20_000;
/** The server cuts longer names, and two would be one (`NAMEDATALEN` - 1, in bytes). */
const MAX_NAME_BYTES = 63;

/** A schema in a database on PostgreSQL. */
export class PostgresDatabase {
  readonly #pool: ConnectionPool;
  readonly #schema: string;
  readonly #where: string;

  private constructor(pool: ConnectionPool, schema: string, where: string) {
    this.#pool = pool;
    this.#schema = schema;
    this.#where = where;
  }

  /**
   * Connects to the schema `name`, creating it and its tables where they are missing: once, however
   * many do it at the same time.
   *
   * @throws {StoreRefusedError} when the server does not let us in, or not create the schema.
   * @throws {StoreUnavailableError} when that is not possible now.
   * @throws {ConfigError} when `name` cannot be a schema's.
   * @throws whatever {@link DatabaseOptions.admit} throws.
   */
  static async open(address: DatabaseAddress, options: DatabaseOptions): Promise<PostgresDatabase> {
    const { name, migrations, admit } = options;
    if (new TextEncoder().encode(name).length > MAX_NAME_BYTES || /^pg_|^public$|\0/.test(name)) {
      throw new ConfigError(`"${name}" cannot be the name of a schema of PostgreSQL: give another`);
    }
    const database = PostgresDatabase.connect(address, options);
    try {
      await database.#migrate(name, migrations, admit);
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** The schema `name` as it is, for whoever only reads: nothing is created, nothing asked yet. */
  static connect(
    address: DatabaseAddress,
    { name, ...options }: Partial<PoolOptions> & { readonly name: string },
  ): PostgresDatabase {
    const pool = new ConnectionPool(address, {
      applicationName: options.applicationName ?? `ecomarket ${name}`,
      maxConnections: options.maxConnections ?? 4,
      acquireTimeoutMs: options.acquireTimeoutMs ?? 5_000,
      answerTimeoutMs: options.answerTimeoutMs ?? 30_000,
    });
    return new PostgresDatabase(pool, quoteName(name), showDatabase(address));
  }

  /** The schema, quoted, for statements outside of a transaction: `${schema}.inbox`. */
  get schema(): string {
    return this.#schema;
  }

  /**
   * One statement that needs no transaction, with the {@link schema} before the names of its tables.
   * `what` names it where it fails, such as `Cannot read the inbox`.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  async query(what: string, sql: string, params: readonly SqlValue[] = []): Promise<Answer> {
    try {
      return await this.#pool.use((connection) =>
        connection.query(withNumberedParameters(sql), params)
      );
    } catch (error) {
      throw this.#told(error, what);
    }
  }

  /**
   * What `work` gives once all that it did is committed, and, where the server is set so, on its
   * disk. Where `work` throws, nothing of it is done. Transactions that met (a serialization failure,
   * a deadlock) are done again from the beginning: `work` may be called several times.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was done. Where the
   *   connection was lost while the commit was under way, it is not known whether it was done.
   * @throws what the database says of a statement that can never succeed, and what `work` throws:
   *   nothing was done.
   */
  async transaction<T>(
    what: string,
    work: (transaction: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#pool.use((connection) => this.#attempt(connection, work, options));
      } catch (error) {
        if (faultOf(error) !== "conflict" || attempt === MAX_ATTEMPTS) {
          throw this.#told(error, what);
        }
      }
      await delay(jitteredDelayMs(attempt, CONFLICT_PACE));
    }
  }

  /**
   * Writes to the disk, and changes nothing that anybody reads.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  async checkWritable(): Promise<void> {
    await this.query(
      "Cannot write",
      `INSERT INTO ${this.#schema}.write_checks VALUES (1, now())
         ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at`,
    );
  }

  /** Lets go of the server. What is under way may or may not be done. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #attempt<T>(
    connection: PostgresConnection,
    work: (transaction: Transaction) => Promise<T>,
    options: TransactionOptions,
  ): Promise<T> {
    try {
      await connection.run(this.#begin(options));
      const transaction = new RunningTransaction(connection);
      const result = await work(transaction);
      // n.b. sent behind what still runs: where something of it fails, it ends as a ROLLBACK.
      const ending = connection.query("COMMIT");
      ending.catch(() => {});
      await transaction.done();
      const { command } = await ending;
      if (command !== "COMMIT") throw new Error("a statement failed, and the transaction with it");
      return result;
    } catch (error) {
      await connection.run("ROLLBACK").catch(() => connection.close());
      throw error;
    }
  }

  #begin({ alone, isolation = "read committed", lockTimeoutMs = 5_000 }: TransactionOptions) {
    const lock = `SELECT pg_advisory_xact_lock(hashtextextended(${
      quoteText(`${this.#schema} ${alone}`)
    }, 0))`;
    return [
      `BEGIN ISOLATION LEVEL ${isolation}`,
      `SET LOCAL search_path TO ${this.#schema}`,
      `SET LOCAL lock_timeout TO ${lockTimeoutMs}`,
      `SET LOCAL statement_timeout TO ${STATEMENT_TIMEOUT_MS}`,
      `SET LOCAL idle_in_transaction_session_timeout TO ${IDLE_TIMEOUT_MS}`,
      ...(alone === undefined ? [] : [lock]),
    ].join("; ");
  }

  async #migrate(
    name: string,
    migrations: readonly string[],
    admit: (transaction: Transaction) => Promise<void> = async () => {},
  ): Promise<void> {
    const alone = { alone: "migrations", lockTimeoutMs: MIGRATION_LOCK_TIMEOUT_MS };
    await this.transaction("Cannot open the store", async (transaction) => {
      const known = await transaction.query("SELECT 1 FROM pg_namespace WHERE nspname = ?", [name]);
      // n.b. asked first: `IF NOT EXISTS` needs the right to create also where nothing is created.
      if (known.count === 0) await transaction.query(`CREATE SCHEMA ${this.#schema}`);
      const tables = await transaction.query(
        "SELECT to_regclass('store_migrations') IS NOT NULL AS exist",
      );
      if (!tables.rows[0]?.exist) { for (const sql of OWN_TABLES) await transaction.query(sql); }
      await admit(transaction);
      const { rows } = await transaction.query(
        "SELECT count(*)::int AS applied FROM store_migrations",
      );
      const applied: number = rows[0]?.applied;
      for (const [index, sql] of [...migrations.entries()].slice(applied)) {
        await transaction.query(sql);
        await transaction.query("INSERT INTO store_migrations VALUES (?, now())", [index + 1]);
      }
    }, alone);
  }

  /** n.b. a server that is read-only may have been the primary until now. */
  #told(error: unknown, what: string): unknown {
    if ((error as { code?: unknown } | undefined)?.code === "25006") this.#pool.leavePrimary();
    return asStoreError(error, `${what} in ${this.#where}`);
  }
}

/** What of a transaction was begun. */
class RunningTransaction implements Transaction {
  readonly #connection: PostgresConnection;
  #statements: Promise<Answer>[] = [];

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
  }

  query(sql: string, params?: readonly SqlValue[]): Promise<Answer> {
    const statement = this.#connection.query(withNumberedParameters(sql), params);
    statement.catch(() => {}); // Whoever waits hears of it, or `done()` does.
    this.#statements.push(statement);
    return statement;
  }

  async part<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#statements.splice(0);
    await this.#connection.run("SAVEPOINT part");
    try {
      const result = await work();
      await this.done();
      await this.#connection.run("RELEASE part");
      return result;
    } catch (error) {
      if (faultOf(error) === "statement") await this.#connection.run(UNDO_PART);
      throw error;
    } finally {
      this.#statements = before;
    }
  }

  /**
   * Waits for all. @throws what the first of them, in their order, failed with: those behind it only
   * say that the transaction is over.
   */
  async done(): Promise<void> {
    for (const result of await Promise.allSettled(this.#statements)) {
      if (result.status === "rejected") throw result.reason;
    }
  }
}

const UNDO_PART = "ROLLBACK TO part; RELEASE part";

const OWN_TABLES: readonly string[] = [
  "CREATE TABLE store_migrations (number INTEGER PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL)",
  `CREATE TABLE write_checks (
     id INTEGER PRIMARY KEY CHECK (id = 1), checked_at TIMESTAMPTZ NOT NULL)`,
];
