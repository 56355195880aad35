/** A look into somebody's store, from outside. */
import type { DatabaseSync } from "node:sqlite";
import { messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { openForReading } from "@ecomarket/shared/store/sqlite";

/**
 * What `query` finds in the store in `directory`; `undefined` where there is none.
 *
 * @throws {StoreUnavailableError} when what is there cannot be read, or is damaged.
 */
export function readStore<T>(directory: string, query: (db: DatabaseSync) => T): T | undefined {
  using db = openForReading(directory);
  try {
    return db && query(db);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_SQLITE_ERROR") throw error;
    throw new StoreUnavailableError(
      `Cannot read the store in ${directory}: ${messageOf(error)}. If it is damaged, stop its ` +
        "consumer, and put a backup in its place",
      { cause: error },
    );
  }
}
