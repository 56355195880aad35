/** Level 2 of the workshop: the message outlives the broker. Still no answer: do not copy it. */
import type { Channel, ChannelModel } from "amqplib";
import { messageOf } from "@ecomarket/shared/base/errors";
import { closeInOrder, connectOnce } from "@ecomarket/shared/broker/connection";
import { type AnyEvent, definitionOf, encode } from "@ecomarket/shared/contract/catalogue";
import { failed, type Publisher, type PublishOptions, type PublishOutcome } from "./publisher.ts";

/**
 * Sends a persistent message with its metadata, and waits when the socket's buffer is full. Survives
 * a broker restart once it is in a queue; lost when the link breaks on the way, and when no queue is
 * bound.
 */
export class PersistentPublisher implements Publisher {
  readonly #connection: ChannelModel;
  readonly #channel: Channel;

  private constructor(connection: ChannelModel, channel: Channel) {
    this.#connection = connection;
    this.#channel = channel;
    channel.on("error", () => {}); // The next publish() finds the channel closed, and says so.
  }

  /** @throws {BrokerUnreachableError} when no broker answers; {AccessRefusedError} when it refuses. */
  static async connect(urls: readonly string[]): Promise<PersistentPublisher> {
    const connection = await connectOnce(urls, "publisher (persistent)");
    return new PersistentPublisher(connection, await connection.createChannel());
  }

  async publish(event: AnyEvent, { headers }: PublishOptions = {}): Promise<PublishOutcome> {
    const { content, options } = encode(event);
    const { exchange } = definitionOf(event);
    try {
      const room = this.#channel.publish(exchange, "", content, {
        ...options,
        headers: { ...options.headers, ...headers },
      });
      if (!room) await drained(this.#channel);
      return { status: "sent" };
    } catch (error) {
      return failed("unsent", `The link is gone: ${messageOf(error)}`);
    }
  }

  close(): Promise<void> {
    return closeInOrder(this.#channel, this.#connection);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How long a full buffer is waited for: a blocked broker may not empty it for hours. */
const DRAIN_TIMEOUT_MS = 30_000;

/** Resolves when the channel takes more, is closed, or has not within {@link DRAIN_TIMEOUT_MS}. */
function drained(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      channel.off("drain", done);
      channel.off("close", done);
      resolve();
    };
    const timer = setTimeout(done, DRAIN_TIMEOUT_MS);
    channel.on("drain", done);
    channel.on("close", done);
  });
}
