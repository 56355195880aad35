/**
 * The subscriber loop: consumes one queue, hands each delivery to a {@link DeliveryProcessor}, and
 * keeps doing so through lost links, cancelled consumers and restarted brokers until it is told to
 * stop.
 */
import type { Channel, ConsumeMessage } from "amqplib";
import { aborted } from "./abort.ts";
import { openConnection } from "./connection.ts";
import { DeliveryProcessor, type Session, type SubscriberSpec } from "./delivery_processor.ts";
import { messageOf } from "./errors.ts";
import { deliveryCount } from "./headers.ts";
import type { Link, LinkUser } from "./link.ts";
import type { Logger } from "./log.ts";
import { Outlet } from "./outlet.ts";
import type { Store } from "./store.ts";
import { declareTopology } from "./topology.ts";

/** How a subscriber runs. */
export interface SubscriberOptions {
  /** `amqp:` or `amqps:` URLs, one per node. */
  readonly urls: readonly string[];
  readonly store: Store;
  readonly log: Logger;
  /** Deliveries in flight at once. */
  readonly prefetch: number;
  /** Stops the subscriber: what is in flight is finished first. */
  readonly signal: AbortSignal;
  /** How long the first connection may take. @default 30000 */
  readonly connectTimeoutMs?: number;
  /** How long what is in flight may take once `signal` has aborted. @default 10000 */
  readonly shutdownTimeoutMs?: number;
  /** How long the confirm of a retry or a dead letter may take. @default 10000 */
  readonly confirmTimeoutMs?: number;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
const DEFAULT_SHUTDOWN_TIMEOUT_MS = 10_000;

/**
 * Consumes until `options.signal` aborts; then cancels the consumer, finishes what is in flight
 * within `shutdownTimeoutMs`, hands the rest back to the broker by closing, and resolves.
 *
 * Slow start: the broker counts a dead consumer against every delivery that it had in flight. So each
 * session begins with a prefetch of 1 and opens to `options.prefetch` at the first delivery that was
 * never delivered before. n.b. a quorum queue hands out what came back before anything new: while
 * there are suspects, they come one by one, and only the guilty one reaches the delivery limit.
 *
 * @throws {BrokerUnreachableError} when no broker answers in time at the start.
 * @throws {AccessRefusedError} when the broker refuses the credentials.
 * @throws {TopologyDriftError} when a queue stands with other arguments.
 */
export async function runSubscriber<T>(
  spec: SubscriberSpec<T>,
  options: SubscriberOptions,
): Promise<void> {
  const { log, signal } = options;
  const processor = new DeliveryProcessor(spec, options.store, log);
  let session: ConsumingSession<T> | undefined;

  await using connection = await openConnection({
    urls: options.urls,
    role: spec.name,
    log,
    signal,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    setup: async (link) => session = await ConsumingSession.start(spec, options, processor, link),
  }).catch(unlessAborted(signal));
  if (!connection) return;
  await aborted(signal);

  log.info("Stopping: finishing what is in flight");
  const timeoutMs = options.shutdownTimeoutMs ?? DEFAULT_SHUTDOWN_TIMEOUT_MS;
  const handedBack = await session?.drain(timeoutMs);
  if (handedBack) {
    log.warning("{count} deliveries took longer than {timeoutMs} ms: handed back to the broker", {
      count: handedBack,
      timeoutMs,
    });
  }
}

/** Told to stop before it began: there is nothing to finish, and nothing went wrong. */
function unlessAborted(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}

/** Consuming on one link, from its set-up to its end. */
class ConsumingSession<T> implements Session, LinkUser {
  readonly channel: Channel;
  readonly outlet: Outlet;
  readonly signal: AbortSignal;
  readonly #queue: string;
  readonly #link: Link;
  readonly #log: Logger;
  readonly #processor: DeliveryProcessor<T>;
  readonly #prefetch: number;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  #consumerTag = "";
  #consumer: "none" | "standing" | "cancelled by us" = "none";
  #widening: Promise<void> = Promise.resolve();
  #open: boolean;
  #draining = false;

  private constructor(
    spec: SubscriberSpec<T>,
    options: SubscriberOptions,
    processor: DeliveryProcessor<T>,
    link: Link,
    channel: Channel,
    outlet: Outlet,
  ) {
    this.channel = channel;
    this.outlet = outlet;
    this.signal = AbortSignal.any([link.signal, this.#ended.signal]);
    this.#queue = spec.queue;
    this.#link = link;
    this.#log = options.log;
    this.#processor = processor;
    this.#prefetch = options.prefetch;
    this.#open = options.prefetch === 1;
    channel.on("close", () => {
      if (!this.#draining) link.destroy(new Error("The channel was closed"));
      this.#ended.abort(new Error("The link was lost"));
    });
  }

  static async start<T>(
    spec: SubscriberSpec<T>,
    options: SubscriberOptions,
    processor: DeliveryProcessor<T>,
    link: Link,
  ): Promise<ConsumingSession<T>> {
    const channel = await link.model.createChannel();
    channel.on("error", (error) => link.destroy(error));
    await declareTopology(channel, spec.topology);
    const outlet = await Outlet.open(link, options);
    const session = new ConsumingSession(spec, options, processor, link, channel, outlet);
    await session.#consume(1);
    options.log.info("Waiting for messages in {queue}", {
      queue: spec.queue,
      state: "consuming",
    });
    return session;
  }

  /** The link cannot be trusted to do what this session needs: recovery builds a new session. */
  giveUp(reason: Error): void {
    this.#link.destroy(reason);
  }

  /** Whether deliveries can come and be settled, or rest because this session wants it so. */
  isAlive(): boolean {
    if (this.#draining) return true;
    return !this.signal.aborted && this.outlet.isAlive() && this.#consumer !== "none";
  }

  /** Stops consuming and waits for what is in flight. Resolves with how many were not finished. */
  async drain(timeoutMs: number): Promise<number> {
    this.#draining = true;
    const deadline = AbortSignal.timeout(timeoutMs);
    const cancelled = this.#widening.then(() => this.#cancel()).catch((error) => {
      this.#log.debug("Cannot cancel the consumer: {reason}", { reason: messageOf(error) });
    });
    await Promise.race([cancelled, aborted(deadline), aborted(this.signal)]);
    await Promise.race([Promise.all(this.#inFlight), aborted(deadline), aborted(this.signal)]);
    const unfinished = this.#inFlight.size;
    this.#ended.abort(new Error("The subscriber stops"));
    // n.b. closing the connection overtakes acks that are not written yet: the channel goes first.
    const closed = Promise.all([this.channel.close(), this.outlet.close()]).catch(() => {});
    await Promise.race([closed, aborted(deadline)]);
    return unfinished;
  }

  async #consume(prefetch: number): Promise<void> {
    await this.channel.prefetch(prefetch);
    // n.b. deliveries may come before consume() resolves: a tag that the broker chose would be known
    // too late to cancel by.
    this.#consumerTag = crypto.randomUUID();
    await this.channel.consume(this.#queue, (message) => this.#onMessage(message), {
      consumerTag: this.#consumerTag,
    });
    this.#consumer = "standing";
  }

  async #cancel(): Promise<void> {
    this.#consumer = "cancelled by us";
    await this.channel.cancel(this.#consumerTag);
  }

  #onMessage(message: ConsumeMessage | null): void {
    if (message === null) {
      // The broker cancelled us: the queue is gone, or its leader moved. A new session declares it
      // again and consumes again.
      this.#consumer = "none";
      return this.giveUp(new Error(`The broker cancelled the consumer of ${this.#queue}`));
    }
    if (!this.#open && isFirstDelivery(message)) {
      this.#open = true;
      this.#widening = this.#widen().catch((error) => this.giveUp(error));
    }
    const work = this.#processor.process(message, this).finally(() => this.#inFlight.delete(work));
    this.#inFlight.add(work);
  }

  /** n.b. a consumer's prefetch is fixed when it starts: to change it, cancel and consume again. */
  async #widen(): Promise<void> {
    await this.#cancel();
    if (!this.#draining) await this.#consume(this.#prefetch);
  }
}

/** Whether the broker hands this message out for the first time: no consumer can have died of it. */
function isFirstDelivery(message: ConsumeMessage): boolean {
  return !message.fields.redelivered && deliveryCount(message.properties.headers) === 0;
}
