/** What the users API keeps: who is registered, what was bought, and the events that tell of it. */
import { EcoMarketError, messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { Outbox } from "../outbox/outbox.ts";
import { Purchases } from "./purchases.ts";
import { Recorder } from "./recorder.ts";
import { ANNOUNCED_TABLES, API_MIGRATIONS } from "./tables.ts";
import { Users } from "./users.ts";

/** Another process works on this store. */
export class StoreInUseError extends EcoMarketError {
  override readonly code = "STORE_IN_USE";
}

/** The store of the users API, for one process alone. Disposing of it closes the file and frees it. */
export class ApiStore implements Disposable {
  readonly #lock: Disposable;
  readonly #db: SqliteDatabase;
  readonly users: Users;
  readonly purchases: Purchases;
  /** The events that still have to be published. */
  readonly outbox: Outbox;

  private constructor(lock: Disposable, db: SqliteDatabase) {
    this.#lock = lock;
    this.#db = db;
    this.outbox = new Outbox(db, ANNOUNCED_TABLES);
    const recorder = new Recorder(db, this.outbox);
    this.users = new Users(db, recorder);
    this.purchases = new Purchases(db, recorder);
  }

  /**
   * Opens the store in `directory`, creating what is missing, for this process alone until it closes
   * it or dies: another one would publish the same events again.
   *
   * @throws {StoreInUseError} when another process has it.
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  static open(directory: string): ApiStore {
    const lock = lockStore(directory);
    try {
      return new ApiStore(lock, SqliteDatabase.open(directory, API_MIGRATIONS));
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Writes to the disk, and changes nothing that anybody recorded.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  checkWritable(): Promise<void> {
    return this.#db.checkWritable();
  }

  /** Commits what waits, then closes the file and lets others open it. */
  close(): void {
    using _lock = this.#lock;
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
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
      "Stop that one, or give this one a folder of its own with DATA_DIR.",
  );
}
