/** Consuming on one link, from its set-up to its end. */
import type { Channel, ConsumeMessage } from "amqplib";
import { aborted } from "../base/abort.ts";
import { messageOf } from "../base/errors.ts";
import type { Link, LinkUser } from "../broker/link.ts";
import { PublishChannel } from "../broker/publish_channel.ts";
import { queueStatus } from "../broker/queue_status.ts";
import { deliveryCount } from "../contract/headers.ts";
import type { Logger } from "../process/log.ts";
import type { DeliveryProcessor } from "./delivery_processor.ts";
import { GroupedAcks } from "./grouped_acks.ts";
import type { Hold } from "./hold.ts";
import type { SessionView, SubscriberObserver } from "./observer.ts";
import type { Session } from "./session.ts";
import type { SliceDeclaration } from "./slice_declaration.ts";
import type { SubscriberSpec } from "./subscriber_spec.ts";
import type { Window } from "./window.ts";

/** What every session of one subscriber shares. */
export interface SessionOptions<T> {
  readonly spec: SubscriberSpec<T>;
  /** What each of them begins with. */
  readonly slice: SliceDeclaration;
  readonly processor: DeliveryProcessor<T>;
  readonly hold: Hold;
  readonly window: Window;
  readonly log: Logger;
  readonly observer: SubscriberObserver;
  /** See {@link PublishChannel.open}. */
  readonly confirmTimeoutMs?: number | undefined;
}

/** How long the broker may take to begin or to end a consumer. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Consumes until its link ends or it is drained. What it has not settled by then is delivered
 * again.
 *
 * Slow start: the broker counts a dead consumer against every delivery that it had in flight. So each
 * session begins with a window of 1 and opens it at the first delivery that was never delivered
 * before. n.b. a quorum queue hands out what came back before anything new: while there are suspects,
 * they come one by one, and only the guilty one reaches the delivery limit. With native retry the
 * broker delays what came back: a suspect that comes into an open window is given back, uncounted,
 * and comes again once the window is 1 and nothing else is in hand.
 */
export class ConsumingSession<T> implements Session, LinkUser, SessionView {
  readonly channel: Channel;
  readonly acks: GroupedAcks;
  readonly publishChannel: PublishChannel;
  readonly signal: AbortSignal;
  readonly #options: SessionOptions<T>;
  readonly #link: Link;
  readonly #log: Logger;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  #bytesInFlight = 0;
  #consumerTag = "";
  /** What the consumer that stands was started with; 0 while there is none. */
  #consumesWith = 0;
  #adjusting: Promise<void> | undefined;
  /** When the broker was asked for the last change that it has not confirmed. */
  #adjustsSince = 0;
  #isOpen = false;
  /** Suspects that came into an open window: see {@link #releaseSuspects}. */
  #suspects: ConsumeMessage[] = [];
  /** Whether the log says that it consumes. */
  #isTold = false;
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
    this.#log = options.log;
    channel.on("close", () => {
      if (!this.#isDraining) link.destroy(new Error("The channel was closed"));
      this.#ended.abort(new Error("The link was lost"));
    });
  }

  /** Declares what the subscriber needs, and consumes. @throws what the broker says against it. */
  static async start<T>(options: SessionOptions<T>, link: Link): Promise<ConsumingSession<T>> {
    const channel = await link.model.createChannel();
    channel.on("error", (error) => link.destroy(error));
    await options.slice.declare(link, channel);
    const publishChannel = await PublishChannel.open(link, options);
    const session = new ConsumingSession(options, link, channel, publishChannel);
    options.observer.sessionStarted(session);
    await session.#adjust();
    if (session.#consumesWith > 0) session.#tellConsuming();
    else session.#tellPaused();
    return session;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  async backlog(): Promise<number | undefined> {
    const { queue } = this.#options.spec;
    return (await queueStatus(this.#link.model, [queue]))[queue]?.ready;
  }

  /** The link cannot be trusted to do what this session needs: recovery builds a new session. */
  giveUp(reason: Error): void {
    this.#link.destroy(reason);
  }

  /** Whether deliveries can come and be settled, or rest because this session wants it so. */
  isAlive(): boolean {
    if (this.#isDraining) return true;
    if (this.signal.aborted || !this.publishChannel.isAlive()) return false;
    return this.#adjusting
      ? performance.now() - this.#adjustsSince < ANSWER_TIMEOUT_MS
      : this.#consumesWith === this.#wanted;
  }

  /** To be called when the subscriber is held, or not any more. */
  holdChanged(): void {
    if (this.signal.aborted || this.#isDraining) return;
    if (this.#options.hold.isHeld) {
      this.#isOpen = false;
      this.#tellPaused();
      this.#isTold = false;
    } else {
      this.#tellConsuming();
    }
    this.#adjust().catch((error) => this.giveUp(error));
  }

  /** Stops consuming and waits for what is in flight. Resolves with how many were not finished. */
  async drain(deadline: AbortSignal): Promise<number> {
    this.#isDraining = true;
    const cancelled = this.#adjust().catch((error) => {
      this.#log.debug("Cannot cancel the consumer: {reason}", { reason: messageOf(error) });
    });
    await Promise.race([cancelled, aborted(deadline), aborted(this.signal)]);
    await Promise.race([Promise.all(this.#inFlight), aborted(deadline), aborted(this.signal)]);
    const unfinished = this.#inFlight.size;
    this.acks.flush();
    this.#ended.abort(new Error("The subscriber stops"));
    // n.b. closing the connection overtakes acks that are not written yet: the channel goes first.
    const closed = Promise.all([this.channel.close(), this.publishChannel.close()]).catch(() => {});
    await Promise.race([closed, aborted(deadline)]);
    return unfinished;
  }

  #tellConsuming(): void {
    if (this.#isTold || this.#isDraining) return;
    this.#isTold = true;
    const { spec: { queue }, observer } = this.#options;
    observer.stateChanged({ state: "consuming" });
    this.#log.info("Waiting for messages in {queue}", { queue, state: "consuming" });
  }

  #tellPaused(): void {
    const { hold, observer } = this.#options;
    observer.stateChanged({ state: "paused", reason: hold.reason });
  }

  /** What to consume with now; 0 is not at all. */
  get #wanted(): number {
    const { hold, window } = this.#options;
    if (this.#isDraining || hold.isHeld || this.#suspects.length > 0) return 0;
    return this.#isOpen ? window.size : 1;
  }

  /** Brings the consumer to what is wanted. One at a time: who comes meanwhile waits for the same. */
  async #adjust(): Promise<void> {
    if (!this.#adjusting && this.#wanted === this.#consumesWith) return;
    await (this.#adjusting ??= this.#reconcile());
  }

  async #reconcile(): Promise<void> {
    try {
      for (let wanted = this.#wanted; wanted !== this.#consumesWith; wanted = this.#wanted) {
        this.#adjustsSince = performance.now();
        // n.b. a consumer's prefetch is fixed when it starts: to change it, cancel and consume again.
        if (this.#consumesWith > 0) {
          await this.#cancel();
          await this.#releaseSuspects();
        } else await this.#consume(wanted);
      }
    } finally {
      this.#adjusting = undefined;
    }
  }

  async #cancel(): Promise<void> {
    await this.channel.cancel(this.#consumerTag);
    this.#consumesWith = 0;
  }

  /** Gives suspects back once nothing else is in hand that could be counted with them. */
  async #releaseSuspects(): Promise<void> {
    if (this.#suspects.length === 0) return;
    this.#adjustsSince = Infinity; // Waits for handlers, not for the broker.
    await Promise.race([Promise.all(this.#inFlight), aborted(this.signal)]);
    for (const message of this.#suspects.splice(0)) {
      this.#bytesInFlight -= message.content.length;
      this.#options.processor.giveBack(message, this);
    }
  }

  async #consume(prefetch: number): Promise<void> {
    await this.channel.prefetch(prefetch);
    this.#consumesWith = prefetch;
    // n.b. deliveries may come before consume() resolves: a tag that the broker chose would be known
    // too late to cancel by.
    this.#consumerTag = crypto.randomUUID();
    const { queue } = this.#options.spec;
    await this.channel.consume(queue, (message) => this.#onMessage(message), {
      consumerTag: this.#consumerTag,
    });
  }

  #onMessage(message: ConsumeMessage | null): void {
    const { spec, processor } = this.#options;
    if (message === null) {
      // The broker cancelled us: the queue is gone, or its leader moved. A new session declares it
      // again and consumes again.
      this.#consumesWith = 0;
      return this.giveUp(new Error(`The broker cancelled the consumer of ${spec.queue}`));
    }
    // n.b. one read of the socket can bring the consumer and its first deliveries, which then come
    // before consume() resolves: who reads the log shall not see a message before its consumer.
    this.#tellConsuming();
    if (!this.#take(message.content.length)) return;
    const isInCompany = this.#consumesWith > 1 || this.#inFlight.size > 0;
    const isSuspect = processor.mustBeAlone(message) && isInCompany;
    if (isSuspect) {
      this.#suspects.push(message);
      this.#isOpen = false;
    } else if (this.#suspects.length === 0 && this.#isFirstDelivery(message)) {
      this.#isOpen = true;
    }
    if (this.#adjusting || this.#wanted !== this.#consumesWith) {
      this.#adjust().catch((error) => this.giveUp(error));
    }
    if (isSuspect) return;
    const work = processor.process(message, this).then(() => {
      this.#inFlight.delete(work);
      this.#bytesInFlight -= message.content.length;
    });
    this.#inFlight.add(work);
  }

  /**
   * Whether a body of `bytes` can be taken in. Where the broker has sent more at once than fits, the
   * link is cut, for nothing else keeps the rest away: it comes again, into a smaller window.
   */
  #take(bytes: number): boolean {
    const { window } = this.#options;
    window.learn(bytes);
    if (window.isExceededBy(this.#bytesInFlight + bytes)) {
      const reason = `${this.#bytesInFlight + bytes} bytes in hand are too many`;
      this.giveUp(new Error(`${reason}: again with ${window.size} at once`));
      return false;
    }
    this.#bytesInFlight += bytes;
    return true;
  }

  /**
   * Whether the broker hands this message out for the first time: no consumer can have died of it. n.b.
   * with native retry what is given back is redelivered, and no suspect: the count alone tells.
   */
  #isFirstDelivery({ fields, properties }: ConsumeMessage): boolean {
    const isAgain = fields.redelivered && this.#options.spec.failure.kind !== "native";
    return !isAgain && deliveryCount(properties.headers) === 0;
  }
}
