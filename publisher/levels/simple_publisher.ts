/** Level 1 of the workshop: fire and forget. Shown so that its losses can be seen: do not copy it. */
import type { Channel, ChannelModel } from "amqplib";
import { messageOf } from "@ecomarket/shared/base/errors";
import { closeInOrder, connectOnce } from "@ecomarket/shared/broker/connection";
import { type AnyEvent, definitionOf, encode } from "@ecomarket/shared/contract/catalogue";
import { failed, type Publisher, type PublishOptions, type PublishOutcome } from "./publisher.ts";

/**
 * Sends a transient message and forgets it. Lost when the link breaks on the way, when the broker is
 * down, and when no queue is bound; from a classic queue also when the broker restarts (a quorum
 * queue stores every message, whatever its delivery mode).
 */
export class SimplePublisher implements Publisher {
  readonly #connection: ChannelModel;
  readonly #channel: Channel;

  private constructor(connection: ChannelModel, channel: Channel) {
    this.#connection = connection;
    this.#channel = channel;
    channel.on("error", () => {}); // Fire and forget: also what goes wrong.
  }

  /** @throws {BrokerUnreachableError} when no broker answers; {AccessRefusedError} when it refuses. */
  static async connect(urls: readonly string[]): Promise<SimplePublisher> {
    const connection = await connectOnce(urls, "publisher (simple)");
    return new SimplePublisher(connection, await connection.createChannel());
  }

  publish(event: AnyEvent, { headers }: PublishOptions = {}): Promise<PublishOutcome> {
    const { content, options } = encode(event);
    const { exchange } = definitionOf(event);
    try {
      this.#channel.publish(exchange, "", content, {
        ...options,
        headers: { ...options.headers, ...headers },
        deliveryMode: 1,
      });
      return Promise.resolve({ status: "sent" });
    } catch (error) {
      return Promise.resolve(failed("unsent", `The link is gone: ${messageOf(error)}`));
    }
  }

  close(): Promise<void> {
    return closeInOrder(this.#channel, this.#connection);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
