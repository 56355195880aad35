/**
 * What the users API and its relay need of a database. Whatever they do in a transaction is written
 * once, as a generator that asks for one query after the other: SQLite runs it without giving way to
 * anybody, PostgreSQL between the answers of a server.
 */
import type { SqlValue, Statement } from "@ecomarket/shared/store/store";

/** One row, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** Yields queries, is given the rows of each, and returns what they come to. */
export type Queries<T> = Generator<Statement, T, readonly Row[]>;

/**
 * What is done in one transaction. It changes nothing but the database: it may be run again from its
 * beginning where the transaction had to be taken back.
 */
export type Work<T> = () => Queries<T>;

/** Asks for the rows of `sql`, whose `?` are `params` in order. */
export function* rowsOf(sql: string, ...params: readonly SqlValue[]): Queries<readonly Row[]> {
  return yield { sql, params };
}

/** What is written in one way for SQLite, which has one writer at a time, and in another for a server. */
export interface Dialect {
  /** Behind a `SELECT`: whoever else asks for these rows like this waits for the end of this transaction. */
  readonly lockingRows: string;
  /** Behind a `SELECT`: the same, and rows that another has locked are left out. */
  readonly skippingLockedRows: string;
}

/** A database in which whatever was committed outlives the process and the machine's power. */
export interface Database extends AsyncDisposable {
  readonly dialect: Dialect;
  /**
   * What `work`, which changes nothing, finds. `what` names it where it fails, such as
   * `Cannot read the users`.
   *
   * @throws {StoreUnavailableError} when the database cannot tell now.
   */
  read<T>(what: string, work: Work<T>): Promise<T>;
  /**
   * Runs `work` in a transaction, and resolves with what it returned once that is on the disk. Where
   * it throws, nothing of it is done.
   *
   * @throws {StoreUnavailableError} when the database cannot be written now.
   * @throws whatever `work` throws.
   */
  commit<T>(work: Work<T>): Promise<T>;
  /**
   * Writes to the disk, and changes nothing that anybody recorded.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  checkWritable(): Promise<void>;
}
