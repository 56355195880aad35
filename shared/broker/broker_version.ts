/** Which RabbitMQ a connection has reached. */
import type { ChannelModel } from "amqplib";

/** Such as `4.3.6`, as the broker said in its handshake: that of the node, where it is a cluster. */
export function brokerVersion({ connection }: ChannelModel): string {
  return String(connection.serverProperties.version);
}
