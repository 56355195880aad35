/**
 * Where messages leave by: a confirm channel that is replaced while the broker refuses all that is
 * sent on it.
 *
 * n.b. a channel of RabbitMQ 3.10 looks up once which node leads a quorum queue. Opened while that
 * node has just died, it asks the dead one before each message and nacks every one of them, for as
 * long as the node is away (`rabbit_fifo_client:enqueue/3`, `{badrpc, nodedown}`). A new channel asks
 * the new leader. (Seen on a cluster of three: nacked for minutes, by two healthy nodes.)
 */
import type { Logger } from "../process/log.ts";
import {
  ConfirmedChannel,
  type ConfirmResult,
  DEFAULT_CONFIRM_TIMEOUT_MS,
  type Outgoing,
} from "./confirmed_channel.ts";
import type { Link, LinkUser } from "./link.ts";

/** How long a channel may refuse everything before it is replaced; each further one twice as long. */
const FIRST_PATIENCE_MS = 500;
const MAX_PATIENCE_MS = 10_000;

/**
 * Tells what became of each message, on whichever channel it left. What was sent before a channel
 * is replaced is still answered on the old one. Lives as long as its link.
 */
export class PublishChannel implements LinkUser {
  readonly #link: Link;
  readonly #log: Logger;
  readonly #confirmTimeoutMs: number;
  #current: ConfirmedChannel;
  /** When the opening of a new channel began that does not stand yet. */
  #replacingSince: number | undefined;
  #patienceMs = FIRST_PATIENCE_MS;
  /** When the current channel refused for the first time. */
  #refusesSince: number | undefined;
  /** Whether it has confirmed anything: then it is never replaced. */
  #isProven = false;
  #onReady: () => void = () => {};

  private constructor(first: ConfirmedChannel, link: Link, options: PublishChannelOptions) {
    this.#link = link;
    this.#log = options.log;
    this.#confirmTimeoutMs = options.confirmTimeoutMs ?? DEFAULT_CONFIRM_TIMEOUT_MS;
    this.#current = this.#listenTo(first);
  }

  /** Opens it on `link`. As with {@link ConfirmedChannel.open}, a channel that dies takes the link along. */
  static async open(link: Link, options: PublishChannelOptions): Promise<PublishChannel> {
    return new PublishChannel(
      await ConfirmedChannel.open(link, options.confirmTimeoutMs),
      link,
      options,
    );
  }

  /** Messages that are sent on the current channel and not answered yet. */
  get inFlight(): number {
    return this.#current.inFlight;
  }

  /** Whether the broker has said that it takes no more for now (a memory or disk alarm). */
  get blocked(): boolean {
    return this.#current.blocked;
  }

  /**
   * Whether messages can leave here, now or soon. A blocked broker is waited for; one that does not
   * answer the wish for a new channel as long as a confirm may take is not.
   */
  isAlive(): boolean {
    if (!this.#current.isOpen) return false;
    if (this.#replacingSince === undefined || this.blocked) return true;
    return performance.now() - this.#replacingSince < this.#confirmTimeoutMs;
  }

  /** Whether it is wise to send. */
  get ready(): boolean {
    return this.#replacingSince === undefined && this.#current.ready;
  }

  /** Called when it may have become {@link ready}. */
  set onReady(listener: () => void) {
    this.#onReady = listener;
    this.#current.onReady = listener;
  }

  /** Publishes `message`, mandatory. Never rejects: the promise settles with what became of it. */
  send(message: Outgoing): Promise<ConfirmResult> {
    return this.#current.send(message);
  }

  /** Closes the channel once what was written is on its way. The link stays. */
  async close(): Promise<void> {
    await this.#current.close();
  }

  /** n.b. what an older channel still answers says nothing of its successor. */
  #listenTo(channel: ConfirmedChannel): ConfirmedChannel {
    channel.onResult = (result) => {
      if (channel === this.#current) this.#learn(result);
    };
    return channel;
  }

  #learn({ kind }: ConfirmResult): void {
    if (kind === "confirmed") {
      this.#isProven = true;
      this.#patienceMs = FIRST_PATIENCE_MS;
    }
    if (kind !== "nacked" || this.#isProven || this.#replacingSince !== undefined) return;
    const now = performance.now();
    this.#refusesSince ??= now;
    if (now - this.#refusesSince >= this.#patienceMs) void this.#replace();
  }

  async #replace(): Promise<void> {
    const old = this.#current;
    this.#log.warning("The broker has refused every message for {patienceMs} ms: a new channel", {
      patienceMs: this.#patienceMs,
    });
    this.#replacingSince = performance.now();
    this.#patienceMs = Math.min(this.#patienceMs * 2, MAX_PATIENCE_MS);
    this.#refusesSince = undefined;
    try {
      this.#current = this.#listenTo(
        await ConfirmedChannel.open(this.#link, this.#confirmTimeoutMs),
      );
      this.#current.onReady = this.#onReady;
      void old.retire();
    } catch {
      return; // The link is lost: its successor has a channel of its own.
    } finally {
      this.#replacingSince = undefined;
    }
    this.#onReady();
  }
}

/** How an {@link PublishChannel} behaves. */
export interface PublishChannelOptions {
  readonly log: Logger;
  /** See {@link ConfirmedChannel.open}. */
  readonly confirmTimeoutMs?: number | undefined;
}
