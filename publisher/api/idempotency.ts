/**
 * Requests that may be sent again without being done again: the first outcome of each
 * `Idempotency-Key`, kept in the transaction of what it answers
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
 */
import { createHash } from "node:crypto";
import { type Database, type Queries, rowsOf } from "../database/database.ts";

/** How long a key is known, unless something else is configured: a day. Later it counts as new. */
export const KEY_LIFETIME_MS = 86_400_000;

/** Expired keys that are removed in one transaction, at most: no request waits for a whole day's. */
export const PRUNED_AT_ONCE = 500;

/** A key as a client sent it, and what of its request must be the same when it comes again. */
export interface IdempotencyKey {
  readonly key: string;
  /** See {@link fingerprint}. */
  readonly fingerprint: string;
}

/** Whether `text` can be a key: 1 to 255 printable ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(text);
}

/** By which two requests are recognised as the same, without keeping what is in them. */
export function fingerprint(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** What is known of a key. */
export type KnownKey =
  | { readonly kind: "new" }
  /** It was used for another request. */
  | { readonly kind: "reused" }
  /** It was used for this request, which had this outcome. */
  | { readonly kind: "done"; readonly outcome: string };

/** The keys. */
export class IdempotencyKeys {
  readonly #db: Database;
  readonly #lifetimeMs: number;

  constructor(db: Database, lifetimeMs = KEY_LIFETIME_MS) {
    this.#db = db;
    this.#lifetimeMs = lifetimeMs;
  }

  /**
   * Looks at `key`, and takes it where it is new, as part of a transaction, which must then
   * {@link keep} its outcome. A request with the same key that is under way elsewhere is waited for.
   */
  *take({ key, fingerprint }: IdempotencyKey, now: Date): Queries<KnownKey> {
    // n.b. one statement decides, in either database: of two that insert a key at once, the second
    // waits for the first one's transaction. An expired key may still be there, and counts as new.
    const taken = yield* rowsOf(
      `INSERT INTO idempotency_keys (key, fingerprint, outcome, used_at_ms) VALUES (?, ?, '', ?)
       ON CONFLICT (key) DO UPDATE
         SET fingerprint = excluded.fingerprint, outcome = '', used_at_ms = excluded.used_at_ms
         WHERE idempotency_keys.used_at_ms <= ? RETURNING key`,
      key,
      fingerprint,
      now.getTime(),
      this.#expiredAt(now),
    );
    if (taken.length > 0) return { kind: "new" };
    const [row] = yield* rowsOf(
      "SELECT fingerprint, outcome FROM idempotency_keys WHERE key = ?",
      key,
    );
    return row?.fingerprint === fingerprint
      ? { kind: "done", outcome: String(row.outcome) }
      : { kind: "reused" };
  }

  /** Keeps the first outcome of `key`, which this transaction has taken. */
  *keep({ key }: IdempotencyKey, outcome: string): Queries<void> {
    yield* rowsOf("UPDATE idempotency_keys SET outcome = ? WHERE key = ?", outcome, key);
  }

  /**
   * Removes expired keys, the oldest first and {@link PRUNED_AT_ONCE} of them at most, beside whoever
   * else does so. @returns how many.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now.
   */
  prune(now: Date): Promise<number> {
    const expiredAt = this.#expiredAt(now);
    const { skippingLockedRows } = this.#db.dialect;
    return this.#db.commit(function* () {
      const removed = yield* rowsOf(
        `DELETE FROM idempotency_keys WHERE key IN (
           SELECT key FROM idempotency_keys WHERE used_at_ms <= ? ORDER BY used_at_ms LIMIT ?
           ${skippingLockedRows}) RETURNING key`,
        expiredAt,
        PRUNED_AT_ONCE,
      );
      return removed.length;
    });
  }

  /** What was used then or before counts no more. */
  #expiredAt(now: Date): number {
    return now.getTime() - this.#lifetimeMs;
  }
}
