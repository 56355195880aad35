/**
 * Requests that may be sent again without being done again: the first outcome of each
 * `Idempotency-Key`, kept in the transaction of what it answers
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
 */
import { createHash } from "node:crypto";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";

/** How long a key is kept: a day. Later it counts as new. */
export const KEY_LIFETIME_MS = 86_400_000;

/** Expired keys that one request clears away, at most: no request pays for a whole day. */
const PURGED_AT_ONCE = 100;

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

/** The keys. Both methods are part of the transaction that `work` of a commit is. */
export class IdempotencyKeys {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  find({ key, fingerprint }: IdempotencyKey, now: Date): KnownKey {
    const row = this.#db.statement(
      "SELECT fingerprint, outcome FROM idempotency_keys WHERE key = ? AND used_at_ms > ?",
    ).get(key, now.getTime() - KEY_LIFETIME_MS);
    if (!row) return { kind: "new" };
    return row.fingerprint === fingerprint
      ? { kind: "done", outcome: String(row.outcome) }
      : { kind: "reused" };
  }

  /** Keeps the first outcome of `key`, and clears away a few keys that are expired. */
  keep({ key, fingerprint }: IdempotencyKey, outcome: string, now: Date): void {
    this.#db.statement(
      `DELETE FROM idempotency_keys WHERE key IN (
         SELECT key FROM idempotency_keys WHERE used_at_ms <= ? ORDER BY used_at_ms LIMIT ?)`,
    ).run(now.getTime() - KEY_LIFETIME_MS, PURGED_AT_ONCE);
    // n.b. the key itself may be among the expired ones that are still there.
    this.#db.statement("INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?)")
      .run(key, fingerprint, outcome, now.getTime());
  }
}
