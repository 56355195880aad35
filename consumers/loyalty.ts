/** Opens a loyalty account with welcome points for every new user, and adds points for purchases. */
import type { Statement } from "@ecomarket/shared/store/store";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

/** What a new user starts with. Once per user, however often the same user is announced. */
export const WELCOME_POINTS = 100;

/** One point for each whole unit of a purchase, in whatever currency. `total` is in minor units. */
export function pointsFor(total: number): number {
  return Math.floor(total / 100);
}

/**
 * An account has what its ledger says. n.b. order is not promised: a purchase may come before the
 * signup of its user. It is in the ledger then, and counts once there is an account.
 */
function balance(user_id: string): Statement {
  return {
    sql: `UPDATE accounts SET points =
            (SELECT sum(points) FROM points_ledger WHERE user_id = ?) WHERE user_id = ?`,
    params: [user_id, user_id],
  };
}

/** The loyalty subscriber. */
export const loyalty = eventConsumer({
  name: "loyalty",
  queue: SUBSCRIBER_QUEUES.loyalty,
  migrations: [
    {
      sqlite: `CREATE TABLE accounts (
        user_id TEXT PRIMARY KEY, nombre TEXT NOT NULL, points INTEGER NOT NULL, opened_at TEXT NOT NULL
      ) STRICT`,
      postgres: `CREATE TABLE accounts (
        user_id TEXT PRIMARY KEY, nombre TEXT NOT NULL, points BIGINT NOT NULL, opened_at TEXT NOT NULL
      )`,
    },
    // n.b. event_id is not unique: were an effect ever done twice, the ledger must be able to show it.
    {
      sqlite: `CREATE TABLE points_ledger (
        id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, user_id TEXT NOT NULL,
        points INTEGER NOT NULL, reason TEXT NOT NULL, booked_at TEXT NOT NULL
      ) STRICT`,
      postgres: `CREATE TABLE points_ledger (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id TEXT NOT NULL,
        user_id TEXT NOT NULL, points BIGINT NOT NULL, reason TEXT NOT NULL, booked_at TEXT NOT NULL
      )`,
    },
    "CREATE INDEX points_ledger_user ON points_ledger (user_id)",
  ],
  on: {
    UsuarioCreado({ event_id, user_id, nombre, timestamp }, { log }) {
      log.info("Loyalty account for {nombre}: {points} welcome points", {
        nombre,
        points: WELCOME_POINTS,
      });
      return [
        {
          sql: "INSERT INTO accounts VALUES (?, ?, 0, ?) ON CONFLICT (user_id) DO NOTHING",
          params: [user_id, nombre, timestamp],
        },
        {
          sql: `INSERT INTO points_ledger (event_id, user_id, points, reason, booked_at)
                SELECT ?, ?, CASE WHEN EXISTS
                  (SELECT 1 FROM points_ledger WHERE user_id = ? AND reason = 'welcome')
                  THEN 0 ELSE ? END, 'welcome', ?`,
          params: [event_id, user_id, user_id, WELCOME_POINTS, new Date().toISOString()],
        },
        balance(user_id),
      ];
    },
    CompraRealizada({ event_id, user_id, total, currency }, { log }) {
      const points = pointsFor(total);
      log.info("{points} points for a purchase of {total} {currency}, in minor units", {
        points,
        total,
        currency,
      });
      return [
        {
          sql: `INSERT INTO points_ledger (event_id, user_id, points, reason, booked_at)
                VALUES (?, ?, ?, 'purchase', ?)`,
          params: [event_id, user_id, points, new Date().toISOString()],
        },
        balance(user_id),
      ];
    },
  },
});

if (import.meta.main) await runConsumer(loyalty);
