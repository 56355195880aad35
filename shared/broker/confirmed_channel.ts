/**
 * Publishing with an answer: one confirm channel on which every message ends with exactly one
 * {@link ConfirmResult}, whatever happens to the channel.
 */
import type { Buffer } from "node:buffer";
import type { ConfirmChannel, Message, Options } from "amqplib";
import { messageOf } from "../base/errors.ts";
import type { Link } from "./link.ts";

/** What became of one published message. */
export type ConfirmResult =
  /** The broker has it, in every queue that it was routed to. */
  | { readonly kind: "confirmed" }
  /** The broker found no queue for it, and dropped it. */
  | { readonly kind: "returned"; readonly reason: string }
  /** The broker could not take it. Some of the queues may have it. */
  | { readonly kind: "nacked"; readonly reason: string }
  /** No answer came: the broker may have it, or not. */
  | { readonly kind: "ambiguous"; readonly reason: string }
  /**
   * It was not written: the channel was closed before, or the message can never be written
   * (`isUnwritable`), for instance because its header table is over 64 KiB.
   */
  | { readonly kind: "unsent"; readonly reason: string; readonly isUnwritable: boolean };

/** A message to publish. `messageId` is required: it is how a returned message is recognised. */
export interface Outgoing {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish & { messageId?: string };
}

/** How long a confirm may take before the link counts as dead. amqplib has no such limit. */
export const DEFAULT_CONFIRM_TIMEOUT_MS = 10_000;

interface Pending {
  readonly message: Outgoing;
  readonly sentAt: number;
  returned: string | undefined;
  readonly settled: Promise<ConfirmResult>;
  readonly resolve: (result: ConfirmResult) => void;
}

const CONFIRMED: ConfirmResult = { kind: "confirmed" };

/**
 * A confirm channel on which every message ends with exactly one {@link ConfirmResult}. A channel
 * that dies takes its link along.
 */
export class ConfirmedChannel {
  readonly #pending = new Set<Pending>();
  readonly #link: Link;
  readonly #timeoutMs: number;
  readonly #watchdog: ReturnType<typeof setInterval>;
  #full = false;
  #open = true;
  #closing = false;
  #blocked = false;
  #unblockedAt = 0;
  #onReady: () => void = () => {};
  #onResult: (result: ConfirmResult) => void = () => {};

  private constructor(
    /** For consuming and declaring. Publish through {@link send} only. */
    readonly channel: ConfirmChannel,
    link: Link,
    timeoutMs: number,
  ) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
    channel.on("return", (message) => this.#onReturn(message));
    channel.on("drain", () => {
      this.#full = false;
      this.#onReady();
    });
    link.model.on("blocked", () => {
      this.#blocked = true;
    });
    link.model.on("unblocked", () => {
      this.#blocked = false;
      this.#unblockedAt = performance.now();
      this.#onReady();
    });
    this.#watchdog = setInterval(() => this.#checkTimeout(), Math.max(timeoutMs / 10, 10));
    // n.b. the link may have ended before these listeners came, or without a word of amqplib.
    const onLinkEnd = () => this.#end(messageOf(link.signal.reason));
    link.signal.addEventListener("abort", onLinkEnd);
    // n.b. a lost connection emits only `close` on its channels. By then amqplib has called back for
    // every unconfirmed message, so nothing is left pending.
    channel.on("close", () => {
      link.signal.removeEventListener("abort", onLinkEnd);
      this.#end("The channel was closed");
      if (!this.#closing) link.destroy(new Error("The channel was closed"));
    });
    channel.on("error", (error) => link.destroy(error));
    if (link.signal.aborted) onLinkEnd();
  }

  /**
   * Opens a confirm channel on `link`. A channel that dies takes its link with it: one road back,
   * through the connection's recovery, for every kind of loss.
   */
  static async open(
    link: Link,
    confirmTimeoutMs: number = DEFAULT_CONFIRM_TIMEOUT_MS,
  ): Promise<ConfirmedChannel> {
    return new ConfirmedChannel(await link.model.createConfirmChannel(), link, confirmTimeoutMs);
  }

  /** Messages that are sent and not yet answered. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Whether the broker has said that it takes no more for now (a memory or disk alarm). */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Whether messages can leave here at all; a blocked broker is waited for. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether it is wise to send: the channel is open, the broker reads, the socket's buffer has room. */
  get ready(): boolean {
    return this.#open && !this.#full && !this.#blocked;
  }

  /** Called when the broker reads again, or the socket's buffer has room again. */
  set onReady(listener: () => void) {
    this.#onReady = listener;
  }

  /** Called with what became of each message, before whoever sent it is told. */
  set onResult(listener: (result: ConfirmResult) => void) {
    this.#onResult = listener;
  }

  /** Closes the channel once what was written is on its way. The link stays. */
  async close(): Promise<void> {
    this.#open = false;
    this.#closing = true;
    await this.channel.close().catch(() => {}); // It is closed already.
  }

  /** Takes no more, and closes once what is in flight is answered. */
  async retire(): Promise<void> {
    this.#open = false;
    await Promise.all([...this.#pending].map(({ settled }) => settled));
    await this.close();
  }

  /** Publishes `message`, mandatory. Never rejects: the promise settles with what became of it. */
  send(message: Outgoing): Promise<ConfirmResult> {
    const { promise, resolve } = Promise.withResolvers<ConfirmResult>();
    const pending: Pending = {
      message,
      sentAt: performance.now(),
      returned: undefined,
      settled: promise,
      resolve,
    };
    this.#pending.add(pending);
    try {
      const room = this.channel.publish(
        message.exchange,
        message.routingKey,
        message.content,
        { ...message.options, mandatory: true },
        (error: unknown) => this.#settle(pending, answer(pending, error)),
      );
      if (!room) this.#full = true;
    } catch (error) {
      // n.b. publish() throws for a closed channel and for what it cannot encode.
      const isClosed = error instanceof Error && error.name === "IllegalOperationError";
      if (isClosed) this.#open = false;
      const reason = messageOf(error);
      this.#settle(pending, { kind: "unsent", reason, isUnwritable: !isClosed });
    }
    return promise;
  }

  /** n.b. a message may be answered twice: by the end of its channel, and by amqplib. The first one counts. */
  #settle(pending: Pending, result: ConfirmResult): void {
    if (!this.#pending.delete(pending)) return;
    this.#onResult(result);
    pending.resolve(result);
  }

  /** The broker returns an unroutable message first and acks it then: so the ack alone proves nothing. */
  #onReturn(message: Message): void {
    const { exchange, routingKey } = message.fields;
    for (const pending of this.#pending) {
      if (pending.returned !== undefined || !isOf(pending.message, message)) continue;
      pending.returned =
        `no queue is bound to the exchange "${exchange}" for the key "${routingKey}"`;
      return;
    }
  }

  #end(reason: string): void {
    clearInterval(this.#watchdog);
    this.#open = false;
    for (const pending of this.#pending) this.#settle(pending, { kind: "ambiguous", reason });
  }

  /** n.b. a blocked broker confirms nothing, and is not dead: no time passes then. */
  #checkTimeout(): void {
    const [oldest] = this.#pending;
    if (!oldest || this.#blocked) return;
    if (performance.now() - Math.max(oldest.sentAt, this.#unblockedAt) < this.#timeoutMs) return;
    this.#link.destroy(new Error(`No confirm within ${this.#timeoutMs} ms`));
  }
}

function answer(pending: Pending, error: unknown): ConfirmResult {
  if (!error) {
    return pending.returned === undefined
      ? CONFIRMED
      : { kind: "returned", reason: pending.returned };
  }
  const reason = messageOf(error);
  // n.b. amqplib tells a nack from a lost channel by the error's text alone (`channel.js:38,47@2.3.1`).
  return { kind: reason === "message nacked" ? "nacked" : "ambiguous", reason };
}

/** Whether `returned` is `sent`, come back. */
function isOf(sent: Outgoing, { fields, properties }: Message): boolean {
  return sent.options.messageId === properties.messageId && sent.exchange === fields.exchange &&
    sent.routingKey === fields.routingKey;
}
