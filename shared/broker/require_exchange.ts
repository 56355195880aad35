/** Whether an exchange can be published to, asked with no more than the right to publish to it. */
import { Buffer } from "node:buffer";
import type { Channel, ChannelModel } from "amqplib";
import { messageOf, TopologyMissingError } from "../base/errors.ts";

/**
 * Resolves where messages to `exchange` would be taken: one is published in a transaction that is
 * rolled back, so that it reaches no queue. n.b. the passive declaration that this is usually asked
 * with needs the right to configure the exchange, and with it to delete it, on RabbitMQ 4.2.6 and
 * 4.3.0 (https://github.com/rabbitmq/rabbitmq-server/pull/16272).
 *
 * @throws {TopologyMissingError} when there is none of that name.
 * @throws the broker's 403 when the user may not publish to it.
 */
export async function requireExchange(model: ChannelModel, exchange: string): Promise<void> {
  const channel = await model.createChannel() as TransactionalChannel;
  channel.on("error", () => {}); // The question below rejects with it.
  try {
    await channel.rpc(TX_SELECT, {}, TX_SELECT + 1);
    channel.publish(exchange, "", Buffer.alloc(0));
    await channel.rpc(TX_ROLLBACK, {}, TX_ROLLBACK + 1);
    await channel.close();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new TopologyMissingError(missingExchange(exchange), { cause: error });
  }
}

/** What is said of an exchange that does not exist. */
export function missingExchange(exchange: string): string {
  return `The exchange "${exchange}" does not exist. Run: deno task setup-queues`;
}

/** Whether the broker has said that something does not exist (AMQP 404). */
export function isMissing(error: unknown): boolean {
  return /NOT.FOUND/.test(messageOf(error));
}

/** n.b. amqplib knows the transactions of AMQP, and has no method for them (`defs.js@2.3.1`). */
interface TransactionalChannel extends Channel {
  /** Sends a method, and resolves with the fields of the answer that is expected. */
  rpc(method: number, fields: object, expected: number): Promise<unknown>;
}

/** https://www.rabbitmq.com/amqp-0-9-1-reference: the class's number, then the method's; the answer is the next one. */
const TX_SELECT = 90 << 16 | 10;
const TX_ROLLBACK = 90 << 16 | 30;
