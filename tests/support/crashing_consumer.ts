/** The email consumer, were it to die each time that it handles the event of the user `guilty`. */
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

await runConsumer(eventConsumer({
  name: "email",
  queue: SUBSCRIBER_QUEUES.email,
  migrations: ["CREATE TABLE sent_emails (event_id TEXT NOT NULL)"],
  on: {
    UsuarioCreado({ event_id, user_id }) {
      if (user_id === "guilty") Deno.kill(Deno.pid, "SIGKILL");
      return [{ sql: "INSERT INTO sent_emails VALUES (?)", params: [event_id] }];
    },
  },
}));
