/**
 * Acks that leave together: what is acked while the event loop turns once, and has nothing unsettled
 * before it, is one frame for the broker instead of one a delivery.
 */
import type { Channel, ConsumeMessage } from "amqplib";
import { messageOf } from "../base/errors.ts";

/** What settles a delivery. */
type SettlingChannel = Pick<Channel, "ack" | "nack" | "reject">;

/**
 * The acks of all deliveries of one channel, each sent soon after {@link ack}. An ack of `multiple`
 * covers every delivery up to its own (https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter):
 * so it is sent only for deliveries of which each one before them has been settled here as well.
 */
export class GroupedAcks {
  readonly #channel: SettlingChannel;
  readonly #signal: AbortSignal;
  readonly #giveUp: (reason: Error) => void;
  /** Acked deliveries that are not sent yet. */
  #unsent: ConsumeMessage[] = [];
  /** Every delivery with a tag up to this one is settled. n.b. a channel counts its deliveries from 1. */
  #floor = 0;
  /** Tags behind the floor that are settled, too. */
  readonly #beyond = new Set<number>();

  /**
   * Those of `channel`, until `signal` aborts: what is not sent by then never is, and comes again. Where
   * the channel takes no ack any more, `giveUp` is told.
   */
  constructor(
    channel: SettlingChannel,
    signal: AbortSignal,
    giveUp: (reason: Error) => void,
  ) {
    this.#channel = channel;
    this.#signal = signal;
    this.#giveUp = giveUp;
  }

  /** Acks `message` once the code that runs now is done. */
  ack(message: ConsumeMessage): void {
    if (this.#unsent.push(message) === 1) queueMicrotask(() => this.flush());
  }

  /** Gives `message` back at once, uncounted. */
  nack(message: ConsumeMessage): void {
    this.#channel.nack(message, false, true);
    this.#settled(message);
  }

  /** Gives `message` back at once, counted as a failure of it. */
  reject(message: ConsumeMessage): void {
    this.#channel.reject(message, true);
    this.#settled(message);
  }

  /** Sends what is not sent yet. */
  flush(): void {
    const acked = this.#unsent;
    this.#unsent = [];
    if (this.#signal.aborted || acked.length === 0) return;
    try {
      this.#send(acked);
    } catch (error) {
      // n.b. amqplib throws where the channel is closed already, also before it tells of that.
      this.#giveUp(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  #send(acked: readonly ConsumeMessage[]): void {
    for (const message of acked) this.#settled(message);
    let last: ConsumeMessage | undefined;
    for (const message of acked) {
      const { deliveryTag } = message.fields;
      if (deliveryTag > this.#floor) this.#channel.ack(message);
      else if (!last || deliveryTag > last.fields.deliveryTag) last = message;
    }
    if (last) this.#channel.ack(last, true);
  }

  #settled({ fields }: ConsumeMessage): void {
    this.#beyond.add(fields.deliveryTag);
    while (this.#beyond.delete(this.#floor + 1)) this.#floor++;
  }
}
