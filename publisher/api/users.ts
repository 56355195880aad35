/** Who is registered. */
import { createUsuarioCreado, type NewUser } from "@ecomarket/shared/contract/usuario_creado";
import { type Database, type Queries, rowsOf } from "../database/database.ts";
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
  readonly #db: Database;
  readonly #recorder: Recorder;

  constructor(db: Database, recorder: Recorder) {
    this.#db = db;
    this.#recorder = recorder;
  }

  /**
   * Registers `user` and puts its event into the outbox. See {@link Recorder.record} for `key`.
   *
   * @throws {StoreUnavailableError} as {@link Recorder.record}.
   * @throws {InvalidMessageError} when a field of `user` breaks the contract.
   */
  async register(
    user: NewUser,
    key?: IdempotencyKey,
    now: Date = new Date(),
  ): Promise<RequestResult<Registration>> {
    const event = createUsuarioCreado(user, now);
    const { user_id, nombre, email, timestamp: created_at, event_id } = event;
    const insert = function* (): Queries<Change<Registration>> {
      // n.b. the ids are random: what may be there already is the email, in whatever case.
      const inserted = yield* rowsOf(
        `INSERT INTO users (user_id, nombre, email, created_at, event_id) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING user_id`,
        user_id,
        nombre,
        email,
        created_at,
        event_id,
      );
      if (inserted.length === 0) return { outcome: { kind: "email-taken" } };
      return {
        outcome: { kind: "created", user: { user_id, nombre, email, created_at, event_id } },
        event,
      };
    };
    return await this.#recorder.record(insert, key, now);
  }

  /**
   * The user `id`, if there is one.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  async find(id: string): Promise<User | undefined> {
    const [row] = await this.#db.read("Cannot read the users", () =>
      rowsOf(
        "SELECT user_id, nombre, email, created_at, event_id FROM users WHERE user_id = ?",
        id,
      ));
    return row && { ...row } as unknown as User;
  }
}
