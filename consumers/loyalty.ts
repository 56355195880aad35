/** Opens a loyalty account with welcome points for every new user. */
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber/consumer";

/** What a new user starts with. Once per user, however often the same user is announced. */
export const WELCOME_POINTS = 100;

/** The loyalty subscriber. */
export const loyalty = eventConsumer({
  name: "loyalty",
  queue: SUBSCRIBER_QUEUES.loyalty,
  migrations: [
    `CREATE TABLE accounts (
       user_id TEXT PRIMARY KEY, nombre TEXT NOT NULL, points INTEGER NOT NULL, opened_at TEXT NOT NULL
     ) STRICT`,
    // n.b. event_id is not unique: were an effect ever done twice, the ledger must be able to show it.
    `CREATE TABLE points_ledger (
       id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, user_id TEXT NOT NULL,
       points INTEGER NOT NULL, reason TEXT NOT NULL, booked_at TEXT NOT NULL
     ) STRICT`,
    "CREATE INDEX points_ledger_user ON points_ledger (user_id)",
  ],
  handle({ event_id, user_id, nombre, timestamp }, { log }) {
    const now = new Date().toISOString();
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
              SELECT ?, ?, CASE WHEN EXISTS (SELECT 1 FROM points_ledger WHERE user_id = ?)
                           THEN 0 ELSE ? END, 'welcome', ?`,
        params: [event_id, user_id, user_id, WELCOME_POINTS, now],
      },
      {
        sql: `UPDATE accounts SET points =
                (SELECT sum(points) FROM points_ledger WHERE user_id = ?) WHERE user_id = ?`,
        params: [user_id, user_id],
      },
    ];
  },
});

if (import.meta.main) await runConsumer(loyalty);
