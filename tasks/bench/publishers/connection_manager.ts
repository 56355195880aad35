/** amqp-connection-manager: amqplib that reconnects, and sends again what was not confirmed. */
import { Buffer } from "node:buffer";
import { connect } from "amqp-connection-manager";
import { USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { propertiesOf, type Sender, type SenderOptions } from "./sender.ts";

/** A channel wrapper with confirms. */
export async function openConnectionManager({ amqpUrl }: SenderOptions): Promise<Sender> {
  const connection = connect([amqpUrl]);
  const channel = connection.createChannel({ confirm: true });
  await channel.waitForConnect();
  return {
    async send(event) {
      await channel.publish(
        USER_EVENTS_EXCHANGE,
        "",
        Buffer.from(JSON.stringify(event)),
        { ...propertiesOf(event), persistent: true, mandatory: true },
      );
    },
    async [Symbol.asyncDispose]() {
      await channel.close();
      await connection.close();
    },
  };
}
