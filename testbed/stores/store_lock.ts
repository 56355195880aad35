/** Somebody else who holds the lock of a subscriber's store, so that whoever commits has to wait. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";

/** Locks the store in `directory`, which must exist, until disposed. Nothing is changed in it. */
export function lockStore(directory: string): Disposable {
  const intruder = new DatabaseSync(join(directory, DATABASE_FILE));
  intruder.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
  return {
    [Symbol.dispose]() {
      intruder.exec("ROLLBACK");
      intruder.close();
    },
  };
}
