/** A look into somebody's store, from outside. */
import type { DatabaseSync } from "node:sqlite";
import { openForReading } from "@ecomarket/shared/store/sqlite";

/** What `query` finds in the store in `directory`; `undefined` where there is none. */
export function readStore<T>(directory: string, query: (db: DatabaseSync) => T): T | undefined {
  using db = openForReading(directory);
  return db && query(db);
}
