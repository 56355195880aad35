/**
 * Where a subscriber keeps what it has done. The interface is narrow: SQLite stands behind it on one
 * machine, PostgreSQL where several machines share one subscriber.
 */

import type { Pause } from "./pauses.ts";

/** A value that a statement may bind. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** A database that a store may be in. */
export type Dialect = "sqlite" | "postgres";

/** SQL text: the same for each database where that is possible, else one for each. */
export type Sql = string | Readonly<Record<Dialect, string>>;

/**
 * A subscriber's tables, as steps of one statement each that are applied once, in order. Append; never
 * change one.
 */
export type StoreMigrations = readonly Sql[];

/** `sql` for one database. */
export function sqlFor(dialect: Dialect, sql: Sql): string {
  return typeof sql === "string" ? sql : sql[dialect];
}

/** One parameterised statement. `params` are bound to its `?` in order, never pasted into it. */
export interface Statement {
  /** With a `?` for each parameter, also for PostgreSQL. */
  readonly sql: Sql;
  /** One for each `?`, in order. */
  readonly params: readonly SqlValue[];
}

/** What a handler wants to be true: all of its statements, or none. Data, so that handlers stay pure. */
export type Effect = readonly Statement[];

/** What became of a part of the inbox. */
export interface Forgotten {
  /** Rows that were removed. */
  readonly removed: number;
  /** Where to go on; `undefined` behind the last row. */
  readonly next: string | undefined;
}

/**
 * A subscriber's own data, and its inbox: the ids of the events whose effect is in it.
 *
 * Implementations owe this: when `commit` resolves with `committed`, the effect and the inbox row
 * outlive the process and the machine's power, both or neither.
 */
export interface Store extends AsyncDisposable {
  /**
   * Whether the effect of `eventId` is committed.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  has(eventId: string): Promise<boolean>;
  /**
   * Commits `effect` and the inbox row of `eventId` in one transaction, shared with other commits
   * that are waiting. A second commit of the same id changes nothing and is a `duplicate`.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now. Nothing was committed, or,
   *   where the way to a server was lost meanwhile, that is not known: commit it again, and the inbox
   *   decides.
   * @throws what the database says of a statement that can never succeed: nothing was committed.
   */
  commit(eventId: string, effect: Effect): Promise<"committed" | "duplicate">;
  /**
   * Writes to the disk, and changes nothing that anybody reads.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now.
   */
  checkWritable(): Promise<void>;
  /**
   * Notes that the subscriber rests, and why, or with `undefined` that it does not: one note for each
   * subscriber, the last one counts. Where several instances share a store, each writes it.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now.
   */
  notePause(pause: Pause | undefined): Promise<void>;
  /**
   * Looks at the next `limit` rows of the inbox behind `position`, in the order of their ids, and removes
   * those that were committed before `before`: an event that comes again later is done again.
   *
   * @param position `""` to begin with, then what the call before returned
   * @throws {StoreUnavailableError} when the store cannot be written now.
   */
  forget(before: Date, position: string, limit: number): Promise<Forgotten>;
  /** Commits what waits, then lets go of the store. */
  close(): Promise<void>;
}
