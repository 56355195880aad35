/** A confirm channel of amqplib and nothing around it: a lost link, and what was on it, is not mended. */
import { Buffer } from "node:buffer";
import { connect } from "amqplib";
import { USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { propertiesOf, type Sender, type SenderOptions } from "./sender.ts";

/** amqplib, used by hand. */
export async function openPlainAmqplib({ amqpUrl }: SenderOptions): Promise<Sender> {
  const connection = await connect(amqpUrl);
  const channel = await connection.createConfirmChannel();
  channel.on("return", () => {
    throw new Error("amqplib: an event was returned");
  });
  return {
    send(event) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      channel.publish(
        USER_EVENTS_EXCHANGE,
        "",
        Buffer.from(JSON.stringify(event)),
        { ...propertiesOf(event), persistent: true, mandatory: true },
        (error: unknown) => error ? reject(error) : resolve(),
      );
      return promise;
    },
    async [Symbol.asyncDispose]() {
      await channel.close();
      await connection.close();
    },
  };
}
