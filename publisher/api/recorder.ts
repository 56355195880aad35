/** A change, its event and the answer to its request, in one transaction: all of them, or none. */
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import type { Outbox } from "../outbox/outbox.ts";
import { type IdempotencyKey, IdempotencyKeys } from "./idempotency.ts";

/** What a change came to. */
export interface Change<T> {
  /** What the request is answered with, and is again when it is repeated. It can be written as JSON. */
  readonly outcome: T;
  /** What tells of the change; absent where nothing was changed. */
  readonly event?: AnyEvent;
}

/** The outcome of a request, or why there is none. */
export type RequestResult<T> =
  | { readonly kind: "done"; readonly outcome: T; readonly isReplay: boolean }
  /** The key was used for another request. */
  | { readonly kind: "key-reused" };

/** Commits each change with its event and its answer, once for each key. */
export class Recorder {
  readonly #db: SqliteDatabase;
  readonly #keys: IdempotencyKeys;
  readonly #outbox: Outbox;

  constructor(db: SqliteDatabase, outbox: Outbox) {
    this.#db = db;
    this.#keys = new IdempotencyKeys(db);
    this.#outbox = outbox;
  }

  /**
   * Commits what `change` does, puts its event into the outbox, and keeps its outcome under `key`. With
   * a key, a repeated request changes nothing and gets the first one's outcome, also after a crash and
   * while the first is under way.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was changed.
   * @throws whatever `change` throws: nothing was changed.
   */
  async record<T>(
    change: () => Change<T>,
    key: IdempotencyKey | undefined,
    now: Date,
  ): Promise<RequestResult<T>> {
    let isAppended = false;
    const result = await this.#db.commit((): RequestResult<T> => {
      const known = key ? this.#keys.find(key, now) : undefined;
      if (known?.kind === "reused") return { kind: "key-reused" };
      if (known?.kind === "done") {
        return { kind: "done", outcome: JSON.parse(known.outcome), isReplay: true };
      }
      const { outcome, event } = change();
      if (event) this.#outbox.append(event, now);
      isAppended = event !== undefined;
      if (key) this.#keys.keep(key, JSON.stringify(outcome), now);
      return { kind: "done", outcome, isReplay: false };
    });
    if (isAppended) this.#outbox.appended();
    return result;
  }
}
