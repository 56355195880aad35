/** A change, its event and the answer to its request, in one transaction: all of them, or none. */
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import type { Database, Queries } from "../database/database.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { IdempotencyKey, IdempotencyKeys } from "./idempotency.ts";

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
  readonly #db: Database;
  readonly #keys: IdempotencyKeys;
  readonly #outbox: Outbox;

  constructor(db: Database, outbox: Outbox, keys: IdempotencyKeys) {
    this.#db = db;
    this.#outbox = outbox;
    this.#keys = keys;
  }

  /**
   * Commits what `change` does, puts its event into the outbox, and keeps its outcome under `key`. With
   * a key, a repeated request changes nothing and gets the first one's outcome, also after a crash and
   * while the first is under way.
   *
   * @throws {UnknownCommitError} when nobody can tell whether it was committed: with its key, the
   *   request can be repeated, and is done once.
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was changed.
   * @throws whatever `change` throws: nothing was changed.
   */
  async record<T>(
    change: () => Queries<Change<T>>,
    key: IdempotencyKey | undefined,
    now: Date,
  ): Promise<RequestResult<T>> {
    const { isAppended, result } = await this.#db.commit(() => this.#work(change, key, now));
    if (isAppended) this.#outbox.appended();
    return result;
  }

  *#work<T>(
    change: () => Queries<Change<T>>,
    key: IdempotencyKey | undefined,
    now: Date,
  ): Queries<{ readonly isAppended: boolean; readonly result: RequestResult<T> }> {
    const known = key ? yield* this.#keys.take(key, now) : undefined;
    if (known?.kind === "reused") return { isAppended: false, result: { kind: "key-reused" } };
    if (known?.kind === "done") {
      const outcome: T = JSON.parse(known.outcome);
      return { isAppended: false, result: { kind: "done", outcome, isReplay: true } };
    }
    const { outcome, event } = yield* change();
    if (event) yield* this.#outbox.append(event, now);
    if (key) yield* this.#keys.keep(key, JSON.stringify(outcome));
    return { isAppended: event !== undefined, result: { kind: "done", outcome, isReplay: false } };
  }
}
