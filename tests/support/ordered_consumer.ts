/** An ordered subscriber with 16 partitions, which fails now and then at a first attempt. */
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

await runConsumer(eventConsumer({
  name: "email",
  queue: SUBSCRIBER_QUEUES.email,
  ordered: { partitions: 16 },
  migrations: ["CREATE TABLE handled (event_id TEXT NOT NULL, user_id TEXT NOT NULL)"],
  on: {
    UsuarioCreado({ event_id, user_id }, { attempt }) {
      if (attempt === 1 && event_id.endsWith("00")) throw new Error("the disk is slow");
      return [{ sql: "INSERT INTO handled VALUES (?, ?)", params: [event_id, user_id] }];
    },
  },
}));
