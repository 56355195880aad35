/** rascal: a configuration around amqplib, with a pool of confirm channels. */
import { once } from "node:events";
// @ts-types="@types/rascal"
import rascal from "rascal";
import { USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { propertiesOf, type Sender, type SenderOptions } from "./sender.ts";

/** A publication with confirms, which rascal makes persistent and mandatory by itself. */
export async function openRascal({ amqpUrl }: SenderOptions): Promise<Sender> {
  const broker = await rascal.BrokerAsPromised.create(rascal.withDefaultConfig({
    vhosts: {
      bench: {
        connection: { url: amqpUrl },
        exchanges: { [USER_EVENTS_EXCHANGE]: { type: "fanout" } },
        publications: { events: { exchange: USER_EVENTS_EXCHANGE, routingKey: "" } },
      },
    },
  }));
  broker.on("error", () => {}); // Unheard, it would end the process; the publications tell as well.
  return {
    async send(event) {
      const publication = await broker.publish("events", event, { options: propertiesOf(event) });
      publication.on("return", () => publication.emit("error", new Error("returned")));
      await once(publication, "success");
    },
    [Symbol.asyncDispose]: () => broker.shutdown(),
  };
}
