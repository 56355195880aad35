/** What the registered users have bought. */
import {
  type CompraRealizada,
  createCompraRealizada,
  type NewPurchase,
} from "@ecomarket/shared/contract/compra_realizada";
import { type Database, type Queries, rowsOf } from "../database/database.ts";
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
  readonly #db: Database;
  readonly #recorder: Recorder;

  constructor(db: Database, recorder: Recorder) {
    this.#db = db;
    this.#recorder = recorder;
  }

  /**
   * Records the purchase of a registered user, and puts its event into the outbox. See
   * {@link Recorder.record} for `key`.
   *
   * @throws {StoreUnavailableError} as {@link Recorder.record}.
   * @throws {InvalidMessageError} when a field of `purchase` breaks the contract.
   */
  async add(
    purchase: NewPurchase,
    key?: IdempotencyKey,
    now: Date = new Date(),
  ): Promise<RequestResult<PurchaseOutcome>> {
    const event = createCompraRealizada(purchase, now);
    const { purchase_id, user_id, total, currency, items, timestamp: created_at, event_id } = event;
    const recorded = { purchase_id, user_id, total, currency, items, created_at, event_id };
    const { lockingRows } = this.#db.dialect;
    const insert = function* (): Queries<Change<PurchaseOutcome>> {
      // n.b. a user's purchases are recorded one after the other: so the positions of their events in
      // the outbox are the order of their commits, whichever instance records them.
      const [owner] = yield* rowsOf(
        `SELECT 1 AS is_registered FROM users WHERE user_id = ?${lockingRows}`,
        user_id,
      );
      if (!owner) return { outcome: { kind: "unknown-user" } };
      const inserted = yield* rowsOf(
        `INSERT INTO purchases
           (purchase_id, user_id, total, currency, items, created_at, event_id)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (purchase_id) DO NOTHING RETURNING purchase_id`,
        purchase_id,
        user_id,
        total,
        currency,
        JSON.stringify(items),
        created_at,
        event_id,
      );
      if (inserted.length === 0) return { outcome: { kind: "id-taken" } };
      return { outcome: { kind: "created", purchase: recorded }, event };
    };
    return await this.#recorder.record(insert, key, now);
  }

  /**
   * The purchase `id`, if there is one.
   *
   * @throws {StoreUnavailableError} when the store cannot tell now.
   */
  async find(id: string): Promise<Purchase | undefined> {
    const [row] = await this.#db.read("Cannot read the purchases", () =>
      rowsOf(
        `SELECT purchase_id, user_id, total, currency, items, created_at, event_id
         FROM purchases WHERE purchase_id = ?`,
        id,
      ));
    return row &&
      {
        ...row,
        total: Number(row.total),
        items: JSON.parse(String(row.items)),
      } as unknown as Purchase;
  }
}
