/** Who is registered. */
import { createUsuarioCreado, type NewUser } from "@ecomarket/shared/contract/usuario_creado";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import type { IdempotencyKey } from "./idempotency.ts";
import type { Change, Recorder, RequestResult } from "./recorder.ts";

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

/** The users of the API. */
export class Users {
  readonly #db: SqliteDatabase;
  readonly #recorder: Recorder;

  constructor(db: SqliteDatabase, recorder: Recorder) {
    this.#db = db;
    this.#recorder = recorder;
  }

  /**
   * Registers `user` and puts its event into the outbox. See {@link Recorder.record} for `key`.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was registered.
   * @throws {InvalidMessageError} when a field of `user` breaks the contract.
   */
  async register(
    user: NewUser,
    key?: IdempotencyKey,
    now: Date = new Date(),
  ): Promise<RequestResult<Registration>> {
    const event = createUsuarioCreado(user, now);
    const { user_id, nombre, email, timestamp: created_at, event_id } = event;
    return await this.#recorder.record(
      (): Change<Registration> => {
        const { changes } = this.#db.statement(
          `INSERT INTO users (user_id, nombre, email, created_at, event_id) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (email) DO NOTHING`,
        ).run(user_id, nombre, email, created_at, event_id);
        if (Number(changes) === 0) return { outcome: { kind: "email-taken" } };
        return {
          outcome: { kind: "created", user: { user_id, nombre, email, created_at, event_id } },
          event,
        };
      },
      key,
      now,
    );
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
}
