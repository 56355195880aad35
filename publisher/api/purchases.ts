/** What the registered users have bought. */
import {
  type CompraRealizada,
  createCompraRealizada,
  type NewPurchase,
} from "@ecomarket/shared/contract/compra_realizada";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import type { IdempotencyKey } from "./idempotency.ts";
import type { Change, Recorder, RequestResult } from "./recorder.ts";

/** A recorded purchase, as the API shows it. */
export interface Purchase {
  readonly purchase_id: string;
  readonly user_id: string;
  /** In minor units (cents). */
  readonly total: number;
  readonly currency: string;
  readonly items: CompraRealizada["items"];
  /** ISO 8601 in UTC. */
  readonly created_at: string;
  /** The id of the event that announces the purchase. */
  readonly event_id: string;
}

/** What became of a purchase. */
export type PurchaseOutcome =
  | { readonly kind: "created"; readonly purchase: Purchase }
  /** No such user is registered here. */
  | { readonly kind: "unknown-user" }
  /** A purchase has this id already. */
  | { readonly kind: "id-taken" };

/** The purchases of the API. */
export class Purchases {
  readonly #db: SqliteDatabase;
  readonly #recorder: Recorder;

  constructor(db: SqliteDatabase, recorder: Recorder) {
    this.#db = db;
    this.#recorder = recorder;
  }

  /**
   * Records the purchase of a registered user, and puts its event into the outbox. See
   * {@link Recorder.record} for `key`.
   *
   * @throws {StoreUnavailableError} when the store cannot be written now: nothing was recorded.
   * @throws {InvalidMessageError} when a field of `purchase` breaks the contract.
   */
  async add(
    purchase: NewPurchase,
    key?: IdempotencyKey,
    now: Date = new Date(),
  ): Promise<RequestResult<PurchaseOutcome>> {
    const event = createCompraRealizada(purchase, now);
    const { purchase_id, user_id, total, currency, items, timestamp: created_at, event_id } = event;
    return await this.#recorder.record(
      (): Change<PurchaseOutcome> => {
        if (!this.#isRegistered(user_id)) return { outcome: { kind: "unknown-user" } };
        const { changes } = this.#db.statement(
          `INSERT INTO purchases
           (purchase_id, user_id, total, currency, items, created_at, event_id)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (purchase_id) DO NOTHING`,
        ).run(purchase_id, user_id, total, currency, JSON.stringify(items), created_at, event_id);
        if (Number(changes) === 0) return { outcome: { kind: "id-taken" } };
        const recorded = { purchase_id, user_id, total, currency, items, created_at, event_id };
        return { outcome: { kind: "created", purchase: recorded }, event };
      },
      key,
      now,
    );
  }

  /**
   * The purchase `id`, if there is one.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  find(id: string): Purchase | undefined {
    return this.#db.read("Cannot read the purchases", () => {
      const row = this.#db.statement(
        `SELECT purchase_id, user_id, total, currency, items, created_at, event_id
         FROM purchases WHERE purchase_id = ?`,
      ).get(id);
      return row && { ...row, items: JSON.parse(String(row.items)) } as unknown as Purchase;
    });
  }

  #isRegistered(userId: string): boolean {
    return this.#db.statement("SELECT 1 FROM users WHERE user_id = ?").get(userId) !== undefined;
  }
}
