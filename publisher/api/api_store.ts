/** What the users API keeps: who is registered, what was bought, and the events that tell of it. */
import type { Database } from "../database/database.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { Purchases } from "./purchases.ts";
import { Recorder } from "./recorder.ts";
import { Users } from "./users.ts";

/** The tables whose rows have an `event_id`, and in `announced_at` when the broker had that event. */
export const ANNOUNCED_TABLES: readonly string[] = ["users", "purchases"];

/** How a store keeps. */
export interface ApiStoreOptions {
  /** How long an `Idempotency-Key` is known. @default a day */
  readonly keyLifetimeMs?: number;
}

/** The store of the users API, in whichever database. Disposing of it commits what waits, and closes it. */
export class ApiStore implements AsyncDisposable {
  readonly #db: Database;
  readonly users: Users;
  readonly purchases: Purchases;
  readonly keys: IdempotencyKeys;
  /** The events that still have to be published. */
  readonly outbox: Outbox;

  /** The store whose tables are in `db`, and whose events go into `outbox`, which is there as well. */
  constructor(db: Database, outbox: Outbox, { keyLifetimeMs }: ApiStoreOptions = {}) {
    this.#db = db;
    this.outbox = outbox;
    this.keys = new IdempotencyKeys(db, keyLifetimeMs);
    const recorder = new Recorder(db, this.outbox, this.keys);
    this.users = new Users(db, recorder);
    this.purchases = new Purchases(db, recorder);
  }

  /**
   * Writes to the disk, and changes nothing that anybody recorded.
   *
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  checkWritable(): Promise<void> {
    return this.#db.checkWritable();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#db[Symbol.asyncDispose]();
  }
}
