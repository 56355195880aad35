/** A subscriber that adds up what was sold: its names and its tables, which both versions of it share. */
import { PURCHASE_EVENTS_EXCHANGE, type Subscription } from "@ecomarket/shared/contract/topology";
import { openForReading } from "@ecomarket/shared/store/sqlite";

/** Its name, and that of its data folder. */
export const CASHBOOK = "cashbook";

export const CASHBOOK_SUBSCRIPTION: Subscription = {
  queue: "cashbook_queue",
  exchanges: [PURCHASE_EVENTS_EXCHANGE],
};

/** Its table, when there were only euros. `total` is in minor units. */
export const FIRST_TABLE = "CREATE TABLE cashbook (event_id TEXT NOT NULL, total INTEGER NOT NULL)";
/** Its table once there were others: what stands in it already was in euros. */
export const CURRENCY_COLUMN =
  "ALTER TABLE cashbook ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR'";

/** A line of a cashbook. */
export interface CashbookLine {
  readonly event_id: string;
  readonly total: number;
  readonly currency: string;
}

/** What stands in the cashbook in `directory`, once it knows of currencies. */
export function readCashbook(directory: string): CashbookLine[] {
  const db = openForReading(directory);
  if (!db) return [];
  try {
    return db.prepare("SELECT event_id, total, currency FROM cashbook").all().map((row) => ({
      event_id: String(row.event_id),
      total: Number(row.total),
      currency: String(row.currency),
    }));
  } finally {
    db.close();
  }
}
