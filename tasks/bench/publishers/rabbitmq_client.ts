/** rabbitmq-client: a codec of its own, reconnects, and sends again what failed. */
import { Connection } from "rabbitmq-client";
import { USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { propertiesOf, type Sender, type SenderOptions } from "./sender.ts";

/** A publisher with confirms and three tries. */
export async function openRabbitmqClient({ amqpUrl }: SenderOptions): Promise<Sender> {
  const connection = new Connection(amqpUrl);
  await connection.onConnect();
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: 3 });
  return {
    async send(event) {
      await publisher.send(
        {
          ...propertiesOf(event),
          exchange: USER_EVENTS_EXCHANGE,
          routingKey: "",
          durable: true,
          mandatory: true,
        },
        event,
      );
    },
    async [Symbol.asyncDispose]() {
      await publisher.close();
      await connection.close();
    },
  };
}
