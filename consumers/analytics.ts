/** Counts signups per day and per email domain, and sales per day. */
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

/** The analytics subscriber. */
export const analytics = eventConsumer({
  name: "analytics",
  queue: SUBSCRIBER_QUEUES.analytics,
  migrations: [
    // n.b. event_id is not unique: were an effect ever done twice, the table must be able to show it.
    {
      sqlite: `CREATE TABLE signups (
        id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, day TEXT NOT NULL, domain TEXT NOT NULL
      ) STRICT`,
      postgres: `CREATE TABLE signups (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id TEXT NOT NULL,
        day TEXT NOT NULL, domain TEXT NOT NULL
      )`,
    },
    "CREATE INDEX signups_day ON signups (day)",
    "CREATE INDEX signups_domain ON signups (domain)",
    "CREATE VIEW signups_per_day AS SELECT day, count(*) AS signups FROM signups GROUP BY day",
    `CREATE VIEW signups_per_domain AS
       SELECT domain, count(*) AS signups FROM signups GROUP BY domain`,
    {
      sqlite: `CREATE TABLE sales (
        id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, day TEXT NOT NULL, currency TEXT NOT NULL,
        total INTEGER NOT NULL
      ) STRICT`,
      postgres: `CREATE TABLE sales (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id TEXT NOT NULL,
        day TEXT NOT NULL, currency TEXT NOT NULL, total BIGINT NOT NULL
      )`,
    },
    "CREATE INDEX sales_day ON sales (day, currency)",
    `CREATE VIEW sales_per_day AS
       SELECT day, currency, count(*) AS sales, sum(total) AS total FROM sales GROUP BY day, currency`,
  ],
  on: {
    UsuarioCreado({ event_id, timestamp, email }, { log }) {
      const day = timestamp.slice(0, 10);
      const domain = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
      log.info("One more signup on {day}, at {domain}", { day, domain });
      return [{
        sql: "INSERT INTO signups (event_id, day, domain) VALUES (?, ?, ?)",
        params: [event_id, day, domain],
      }];
    },
    CompraRealizada({ event_id, timestamp, total, currency }, { log }) {
      const day = timestamp.slice(0, 10);
      log.info("One more sale on {day}: {total} {currency}, in minor units", {
        day,
        total,
        currency,
      });
      return [{
        sql: "INSERT INTO sales (event_id, day, currency, total) VALUES (?, ?, ?, ?)",
        params: [event_id, day, currency, total],
      }];
    },
  },
});

if (import.meta.main) await runConsumer(analytics);
