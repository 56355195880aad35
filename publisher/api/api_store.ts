/** Who is registered. A user, its event and the answer to its request: all of them, or none. */
import { EcoMarketError, messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { createUsuarioCreado, type NewUser } from "@ecomarket/shared/contract/usuario_creado";
import { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { Outbox } from "../outbox/outbox.ts";
import { type IdempotencyKey, IdempotencyKeys } from "./idempotency.ts";
import { USERS_MIGRATIONS } from "./users_tables.ts";

/** A registered user, as the API shows it. */
export interface User {
  readonly user_id: string;
  readonly nombre: string;
  readonly email: string;
  /** ISO 8601 in UTC. */
  readonly created_at: string;
  /** The id of the event that announces the user. */
  readonly event_id: string;
}

/** What became of a registration. */
export type Registration =
  | { readonly kind: "created"; readonly user: User }
  /** A user has this email already, in whatever case. */
  | { readonly kind: "email-taken" };

/** A {@link Registration}, or why there is none. */
export type RegisterResult =
  | { readonly kind: "done"; readonly registration: Registration; readonly isReplay: boolean }
  /** The key was used for another request. */
  | { readonly kind: "key-reused" };

/** Another process works on this store. */
export class StoreInUseError extends EcoMarketError {
  override readonly code = "STORE_IN_USE";
}

/** See the file's first line. */
export class UsersStore implements Disposable {
  readonly #lock: Disposable;
  readonly #db: SqliteDatabase;
  readonly #keys: IdempotencyKeys;
  /** The events that still have to be published. */
  readonly outbox: Outbox;

  private constructor(lock: Disposable, db: SqliteDatabase) {
    this.#lock = lock;
    this.#db = db;
    this.#keys = new IdempotencyKeys(db);
    this.outbox = new Outbox(db);
  }

  /**
   * Opens the store in `directory`, creating what is missing, for this process alone until it closes
   * it or dies: another one would publish the same events again.
   *
   * @throws {StoreInUseError} when another process has it.
   * @throws {StoreUnavailableError} when that is not possible now.
   */
  static open(directory: string): UsersStore {
    const lock = lockStore(directory);
    try {
      return new UsersStore(lock, SqliteDatabase.open(directory, USERS_MIGRATIONS));
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Registers `user` and puts its event into the outbox. With a key, a repeated request changes
   * nothing and gets the first one's result, also after a crash and while the first is under way.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was registered.
   * @throws {InvalidMessageError} when a field of `user` breaks the contract.
   */
  async register(
    user: NewUser,
    key?: IdempotencyKey,
    now: Date = new Date(),
  ): Promise<RegisterResult> {
    const event = createUsuarioCreado(user, now);
    const { user_id, nombre, email, timestamp: created_at, event_id } = event;
    const result = await this.#db.commit((): RegisterResult => {
      const known = key ? this.#keys.find(key, now) : undefined;
      if (known?.kind === "reused") return { kind: "key-reused" };
      if (known?.kind === "done") {
        return { kind: "done", registration: JSON.parse(known.outcome), isReplay: true };
      }
      const { changes } = this.#db.statement(
        `INSERT INTO users (user_id, nombre, email, created_at, event_id) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (email) DO NOTHING`,
      ).run(user_id, nombre, email, created_at, event_id);
      const registration: Registration = Number(changes) === 1
        ? { kind: "created", user: { user_id, nombre, email, created_at, event_id } }
        : { kind: "email-taken" };
      if (registration.kind === "created") this.outbox.append(event, now);
      if (key) this.#keys.keep(key, JSON.stringify(registration), now);
      return { kind: "done", registration, isReplay: false };
    });
    if (result.kind === "done" && !result.isReplay) this.outbox.appended();
    return result;
  }

  /**
   * The user `id`, if there is one.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  find(id: string): User | undefined {
    return this.#db.read("Cannot read the users", () => {
      const row = this.#db.statement(
        "SELECT user_id, nombre, email, created_at, event_id FROM users WHERE user_id = ?",
      ).get(id);
      return row && { ...row } as unknown as User;
    });
  }

  /**
   * Writes to the disk, and changes nothing that anybody registered.
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
