/** Consuming the partitions of an ordered subscriber on one link, from its set-up to its end. */
import type { Channel, ConsumeMessage } from "amqplib";
import { aborted } from "../base/abort.ts";
import type { Link, LinkUser } from "../broker/link.ts";
import { PublishChannel } from "../broker/publish_channel.ts";
import { queueStatus } from "../broker/queue_status.ts";
import type { SessionOptions } from "./consuming_session.ts";
import { GroupedAcks } from "./grouped_acks.ts";
import type { SessionView } from "./observer.ts";
import type { Session } from "./session.ts";

/**
 * Consumes each partition with a window of 1, until its link ends or it is drained.
 *
 * n.b. order rests on two things. In each partition at most one event is not settled: of several, the
 * broker may hand out a later one before an earlier one when their consumer is gone. And no consumer is
 * ever cancelled with an event in hand: the broker would give the next one to another instance at once
 * (both tried on 3.10.8 and 4.3.6). So whatever is to be given back is given back by closing, which
 * returns the event to the head of its queue and ends the consumer in one step.
 */
export class OrderedSession<T> implements Session, LinkUser, SessionView {
  readonly channel: Channel;
  readonly acks: GroupedAcks;
  readonly publishChannel: PublishChannel;
  readonly signal: AbortSignal;
  readonly #options: SessionOptions<T>;
  readonly #link: Link;
  readonly #partitions: readonly string[];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  /** Of the whole set of consumers: begun once a session. */
  #consuming: Promise<void> | undefined;
  #isDraining = false;

  private constructor(
    options: SessionOptions<T>,
    link: Link,
    channel: Channel,
    publishChannel: PublishChannel,
  ) {
    this.channel = channel;
    this.publishChannel = publishChannel;
    this.signal = AbortSignal.any([link.signal, this.#ended.signal]);
    this.acks = new GroupedAcks(channel, this.signal, (reason) => this.giveUp(reason));
    this.#options = options;
    this.#link = link;
    this.#partitions = options.spec.partitions ?? [];
    channel.on("close", () => {
      if (!this.#isDraining) link.destroy(new Error("The channel was closed"));
      this.#ended.abort(new Error("The link was lost"));
    });
  }

  /** Declares what the subscriber needs, and consumes. @throws what the broker says against it. */
  static async start<T>(options: SessionOptions<T>, link: Link): Promise<OrderedSession<T>> {
    const channel = await link.model.createChannel();
    channel.on("error", (error) => link.destroy(error));
    await options.slice.declare(link, channel);
    const publishChannel = await PublishChannel.open(link, options);
    const session = new OrderedSession(options, link, channel, publishChannel);
    options.observer.sessionStarted(session);
    if (options.hold.isHeld) session.#tellPaused();
    else await session.#consume();
    return session;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  async backlog(): Promise<number | undefined> {
    const all = Object.values(await queueStatus(this.#link.model, this.#partitions));
    return all.includes(null) ? undefined : all.reduce((sum, one) => sum + (one?.ready ?? 0), 0);
  }

  giveUp(reason: Error): void {
    this.#link.destroy(reason);
  }

  /** Whether deliveries can come and be settled, or rest because this session wants it so. */
  isAlive(): boolean {
    return this.#isDraining || (!this.signal.aborted && this.publishChannel.isAlive());
  }

  /** To be called when the subscriber is held, or not any more. */
  holdChanged(): void {
    if (this.signal.aborted || this.#isDraining) return;
    if (!this.#options.hold.isHeld) {
      this.#consume().catch((error) => this.giveUp(error));
      return;
    }
    this.#tellPaused();
    if (this.#consuming) {
      this.giveUp(new Error(`The subscriber rests: ${this.#options.hold.reason}`));
    }
  }

  /**
   * Takes nothing new, and waits for what is in flight. Resolves with how many were not finished. What
   * came meanwhile goes back to the head of its partition.
   */
  async drain(deadline: AbortSignal): Promise<number> {
    this.#isDraining = true;
    await Promise.race([Promise.all(this.#inFlight), aborted(deadline), aborted(this.signal)]);
    const unfinished = this.#inFlight.size;
    this.acks.flush();
    this.#ended.abort(new Error("The subscriber stops"));
    // n.b. closing the connection overtakes acks that are not written yet: the channel goes first.
    const closed = Promise.all([this.channel.close(), this.publishChannel.close()]).catch(() => {});
    await Promise.race([closed, aborted(deadline)]);
    return unfinished;
  }

  #tellPaused(): void {
    const { hold, observer } = this.#options;
    observer.stateChanged({ state: "paused", reason: hold.reason });
  }

  #consume(): Promise<void> {
    return this.#consuming ??= this.#begin();
  }

  async #begin(): Promise<void> {
    const { spec: { queue }, observer, log } = this.#options;
    observer.stateChanged({ state: "consuming" });
    log.info("Waiting for messages in the {partitions} partitions of {queue}", {
      queue,
      partitions: this.#partitions.length,
      state: "consuming",
    });
    await this.channel.prefetch(1);
    for (const partition of this.#partitions) {
      await this.channel.consume(partition, (message) => this.#onMessage(message, partition));
    }
  }

  #onMessage(message: ConsumeMessage | null, partition: string): void {
    if (message === null) {
      return this.giveUp(new Error(`The broker cancelled the consumer of ${partition}`));
    }
    if (this.#isDraining || this.signal.aborted) return;
    const work = this.#options.processor.process(message, this).finally(() => {
      this.#inFlight.delete(work);
    });
    this.#inFlight.add(work);
  }
}
