/** The store of the users API in a folder of one process: what is used without a `DATABASE_URL`. */
import { EcoMarketError, messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import type { Database } from "../database/database.ts";
import { sqliteDatabase } from "../database/sqlite_database.ts";
import { SqliteOutbox } from "../outbox/sqlite_outbox.ts";
import { ANNOUNCED_TABLES, ApiStore, type ApiStoreOptions } from "./api_store.ts";
import { SQLITE_API_MIGRATIONS } from "./sqlite_tables.ts";

/** Another process works on this store. */
export class StoreInUseError extends EcoMarketError {
  override readonly code = "STORE_IN_USE";
}

/**
 * Opens the store in `directory`, creating what is missing, for this process alone until it closes it
 * or dies: another one would publish the same events again.
 *
 * @throws {StoreInUseError} when another process has it.
 * @throws {StoreUnavailableError} when that is not possible now.
 */
export function openSqliteApiStore(directory: string, options: ApiStoreOptions = {}): ApiStore {
  const lock = lockStore(directory);
  try {
    const db = locked(sqliteDatabase(SqliteDatabase.open(directory, SQLITE_API_MIGRATIONS)), lock);
    return new ApiStore(db, new SqliteOutbox(db, ANNOUNCED_TABLES), options);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** `db`, and others may open its folder again once it is closed. */
function locked(db: Database, lock: Disposable): Database {
  return {
    ...db,
    async [Symbol.asyncDispose]() {
      using _lock = lock;
      await db[Symbol.asyncDispose]();
    },
  };
}

function lockStore(directory: string): Disposable {
  let lock: Disposable | undefined;
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = tryLockFolder(directory);
  } catch (error) {
    const reason = `Cannot open the store in ${directory}: ${messageOf(error)}`;
    throw new StoreUnavailableError(reason, { cause: error });
  }
  if (lock) return lock;
  throw new StoreInUseError(
    `Another users API runs on ${directory}: together they would publish each event twice. ` +
      "Stop that one, give this one a folder of its own with DATA_DIR, or let both use one " +
      "PostgreSQL with DATABASE_URL.",
  );
}
