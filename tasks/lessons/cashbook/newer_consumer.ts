/** The cashbook of today. It handles version 1 as well, and need not know: the catalogue upcasts it. */
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";
import { CASHBOOK, CASHBOOK_SUBSCRIPTION, CURRENCY_COLUMN, FIRST_TABLE } from "./cashbook.ts";

await runConsumer(eventConsumer({
  name: CASHBOOK,
  queue: CASHBOOK_SUBSCRIPTION.queue,
  migrations: [FIRST_TABLE, CURRENCY_COLUMN],
  on: {
    CompraRealizada: ({ event_id, total, currency }) => [
      { sql: "INSERT INTO cashbook VALUES (?, ?, ?)", params: [event_id, total, currency] },
    ],
  },
}));
