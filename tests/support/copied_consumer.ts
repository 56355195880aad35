/** `audit_consumer.ts` as somebody copied it, who changed the queue and nothing else. */
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

await runConsumer(eventConsumer({
  name: "audit",
  queue: "copied_audit_queue",
  migrations: ["CREATE TABLE audit (event_id TEXT NOT NULL)"],
  on: {
    UsuarioCreado: ({ event_id }) => [
      { sql: "INSERT INTO audit VALUES (?)", params: [event_id] },
    ],
  },
}));
