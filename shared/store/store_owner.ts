/**
 * Whose store it is. An inbox that two subscribers shared would call the one's events done as soon as
 * the other has handled them: all acknowledged, and half of the effects missing. So each store
 * remembers its owner.
 */
import type { DatabaseSync } from "node:sqlite";
import { StoreOwnerError } from "../base/errors.ts";

/** One subscriber, told by one queue. */
export interface StoreOwner {
  /** Its name, also its data folder's. */
  readonly subscriber: string;
  /** The queue that it consumes; where there is none, what else tells it. */
  readonly queue: string;
}

/**
 * n.b. not one of the numbered migrations: they are counted from the first on, and a store that is
 * older than this table gets it when it is opened next.
 */
const OWNER_TABLE = `CREATE TABLE IF NOT EXISTS store_owner (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  subscriber TEXT NOT NULL, queue TEXT NOT NULL
) STRICT`;

/**
 * Writes `owner` into a store that has none yet. To be called within a transaction, so that of two
 * that come at once one is first.
 *
 * @throws {StoreOwnerError} when the store is another one's.
 */
export function claimStore(db: DatabaseSync, directory: string, owner: StoreOwner): void {
  db.prepare(OWNER_TABLE).run();
  const { subscriber, queue } = owner;
  const known = db.prepare("SELECT subscriber, queue FROM store_owner").get();
  if (known) return requireOwner(known, owner, directory);
  db.prepare("INSERT INTO store_owner VALUES (1, ?, ?)").run(subscriber, queue);
}

/**
 * Checks the owner that the store at `place` remembers.
 *
 * @throws {StoreOwnerError} when it is another one.
 */
export function requireOwner(
  known: Readonly<Record<string, unknown>>,
  { subscriber, queue }: StoreOwner,
  place: string,
): void {
  if (known.subscriber === subscriber && known.queue === queue) return;
  throw new StoreOwnerError(
    `The store in ${place} belongs to the subscriber "${known.subscriber}" of "${known.queue}", ` +
      `not to "${subscriber}" of "${queue}": with one inbox, each would take the other's events for ` +
      `done and lose their effects. Give the new consumer a "name" of its own, and with it a data ` +
      `folder and a permission set of its own.`,
  );
}
