/** A subscriber that the project does not know: it writes down who signed up. */
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

await runConsumer(eventConsumer({
  name: "audit",
  queue: "audit_queue",
  migrations: ["CREATE TABLE audit (event_id TEXT NOT NULL)"],
  on: {
    UsuarioCreado: ({ event_id }) => [
      { sql: "INSERT INTO audit VALUES (?)", params: [event_id] },
    ],
  },
}));
