/**
 * Level 3 of the workshop, and what everything else here publishes with: every event ends with a
 * known outcome, whatever happens to the link or the broker.
 *
 *      publish()                 room in the window              confirm
 *   ──────────────► waiting ───────────────────────► in flight ───────────► confirmed | returned
 *                      ▲                               │  │
 *                      └──── link lost: same event_id ─┘  │ nack
 *                      └──── after a growing delay ───────┘
 *
 *   any state, deadline passed ──► unsent (never written) | nacked | ambiguous
 */
import { backoffDelayMs } from "@ecomarket/shared/base/backoff";
import { TopologyMissingError } from "@ecomarket/shared/base/errors";
import type { ConfirmResult, Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import { type BrokerConnection, openConnection } from "@ecomarket/shared/broker/connection";
import type { Link } from "@ecomarket/shared/broker/link";
import { PublishChannel } from "@ecomarket/shared/broker/publish_channel";
import { requireExchange } from "@ecomarket/shared/broker/require_exchange";
import {
  type AnyEvent,
  definitionOf,
  encode,
  EVENTS,
  type EventType,
} from "@ecomarket/shared/contract/catalogue";
import type { Logger } from "@ecomarket/shared/process/log";
import { failed, type Publisher, type PublishOptions, type PublishOutcome } from "./publisher.ts";

/** How a {@link RobustPublisher} behaves. */
export interface RobustPublisherOptions {
  /** `amqp:` or `amqps:` URLs, one per node. */
  readonly urls: readonly string[];
  /** Where lost links and refusals are told. */
  readonly log: Logger;
  /** The connection's name in the management UI. @default "publisher" */
  readonly role?: string;
  /** The events that it may publish: their exchanges must exist. @default `UsuarioCreado` alone */
  readonly events?: readonly EventType[];
  /** Events written and not yet confirmed, at most. @default 500 */
  readonly window?: number;
  /** Events that are not settled yet, at most: one more is `unsent` at once. @default 10000 */
  readonly maxOutstanding?: number;
  /** How long one event may take, reconnections included. @default 30000 */
  readonly publishTimeoutMs?: number;
  /** How long one confirm may take before the link counts as dead. @default 10000 */
  readonly confirmTimeoutMs?: number;
  /** How long the first connection may take. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
}

/** One event on its way. Entries keep their order by `sequence`. */
interface Entry {
  readonly sequence: number;
  readonly message: Outgoing;
  readonly deadline: number;
  readonly outcome: Promise<PublishOutcome>;
  readonly settle: (outcome: PublishOutcome) => void;
  /** It is written and not answered yet. */
  inFlight: boolean;
  /** It was written at least once and got no answer: the broker may have it. */
  inDoubt: boolean;
  /** The broker's last refusal. */
  nack?: string;
  nacks: number;
  retryTimer?: ReturnType<typeof setTimeout>;
}

const DEFAULT_WINDOW = 500;
const DEFAULT_MAX_OUTSTANDING = 10_000;
const DEFAULT_PUBLISH_TIMEOUT_MS = 30_000;
const EXPIRY_CHECK_MS = 100;
const CONFIRMED: PublishOutcome = { status: "confirmed" };

/**
 * Settles every event with one known outcome within `publishTimeoutMs`, through lost links and
 * restarts of the broker. What waits is in memory alone, and dies with the process.
 */
export class RobustPublisher implements Publisher {
  readonly #options: RobustPublisherOptions;
  readonly #window: number;
  readonly #maxOutstanding: number;
  readonly #publishTimeoutMs: number;
  readonly #exchanges: ReadonlySet<string>;
  /** Every unsettled entry. They expire in order: all have the same time. */
  readonly #outstanding = new Set<Entry>();
  /** Entries to be written, in order. */
  #waiting: Entry[] = [];
  #sequence = 0;
  #channel: PublishChannel | undefined;
  #connection!: BrokerConnection;
  #closing = false;
  #closed: Promise<void> | undefined;
  #expiryTimer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: RobustPublisherOptions) {
    this.#options = options;
    this.#window = options.window ?? DEFAULT_WINDOW;
    this.#maxOutstanding = options.maxOutstanding ?? DEFAULT_MAX_OUTSTANDING;
    this.#publishTimeoutMs = options.publishTimeoutMs ?? DEFAULT_PUBLISH_TIMEOUT_MS;
    const { events = ["UsuarioCreado"] } = options;
    this.#exchanges = new Set(events.map((type) => EVENTS[type].exchange));
  }

  /**
   * A publisher that is connected, and stays so until it is closed.
   *
   * @throws {BrokerUnreachableError} when no broker answers within `connectTimeoutMs`.
   * @throws {AccessRefusedError} when it refuses the credentials.
   * @throws {TopologyMissingError} when the exchange of one of `events` does not exist.
   */
  static async connect(options: RobustPublisherOptions): Promise<RobustPublisher> {
    const publisher = new RobustPublisher(options);
    publisher.#connection = await openConnection({
      urls: options.urls,
      role: options.role ?? "publisher",
      log: options.log,
      setup: (link) => publisher.#onLink(link),
      onDisconnect: () => {
        publisher.#channel = undefined;
      },
      ...(options.connectTimeoutMs ? { connectTimeoutMs: options.connectTimeoutMs } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    return publisher;
  }

  /**
   * Publishes `event`, mandatory and persistent, and settles with `confirmed`, `returned`, `nacked`,
   * `ambiguous` or `unsent`, never later than `publishTimeoutMs` from now.
   *
   * While the link is down or the broker is blocked, events wait in memory, at most
   * `maxOutstanding`: whoever must not lose them when this process dies keeps them until they are
   * confirmed.
   *
   * @throws {InvalidMessageError} when `event` breaks the contract.
   */
  publish(event: AnyEvent, options: PublishOptions = {}): Promise<PublishOutcome> {
    try {
      return this.#publish(event, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #publish(event: AnyEvent, { headers }: PublishOptions): Promise<PublishOutcome> {
    const { content, options } = encode(event);
    const { exchange } = definitionOf(event);
    if (!this.#exchanges.has(exchange)) {
      throw new TypeError(`This publisher was not opened for ${event.event_type}: see "events"`);
    }
    if (this.#closing) return Promise.resolve(failed("unsent", "The publisher is closed"));
    if (this.#outstanding.size >= this.#maxOutstanding) {
      const reason =
        `${this.#maxOutstanding} events wait for the broker already: publish more slowly`;
      return Promise.resolve(failed("unsent", reason));
    }
    const entry = this.#newEntry({
      exchange,
      routingKey: "",
      content,
      options: headers === undefined
        ? options
        : { ...options, headers: { ...options.headers, ...headers } },
    });
    this.#waiting.push(entry);
    this.#pump();
    return entry.outcome;
  }

  /** Whether events can leave now: there is a link, and what was built on it lives. */
  get isConnected(): boolean {
    return this.#channel?.isAlive() ?? false;
  }

  /**
   * Waits until every event is settled, at most `timeoutMs` or else `publishTimeoutMs`, then closes
   * the connection. What is not settled by then is told what is known of it.
   */
  async close(timeoutMs?: number): Promise<void> {
    this.#closing = true;
    const outcomes = [...this.#outstanding].map((entry) => entry.outcome);
    const timer = timeoutMs === undefined
      ? undefined
      : setTimeout(() => this.#settleAll(timeoutMs), timeoutMs);
    await Promise.all(outcomes);
    clearTimeout(timer);
    await (this.#closed ??= this.#connection.close());
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #newEntry(message: Outgoing): Entry {
    const { promise, resolve } = Promise.withResolvers<PublishOutcome>();
    const entry: Entry = {
      sequence: this.#sequence++,
      message,
      deadline: performance.now() + this.#publishTimeoutMs,
      outcome: promise,
      settle: (outcome) => {
        clearTimeout(entry.retryTimer);
        this.#outstanding.delete(entry);
        if (this.#outstanding.size === 0) this.#stopExpiry();
        resolve(outcome);
      },
      inFlight: false,
      inDoubt: false,
      nacks: 0,
    };
    this.#outstanding.add(entry);
    this.#expiryTimer ??= setInterval(() => this.#expire(), EXPIRY_CHECK_MS);
    return entry;
  }

  /** Writes what waits, as far as the window, the socket and the broker allow. */
  #pump(): void {
    const channel = this.#channel;
    while (channel?.ready && channel.inFlight < this.#window) {
      const entry = this.#waiting.shift();
      if (!entry) return;
      if (this.#outstanding.has(entry)) this.#write(channel, entry);
    }
  }

  #write(channel: PublishChannel, entry: Entry): void {
    entry.inFlight = true;
    void channel.send(entry.message).then((result) => this.#answered(entry, result));
  }

  #answered(entry: Entry, result: ConfirmResult): void {
    entry.inFlight = false;
    if (this.#outstanding.has(entry)) {
      switch (result.kind) {
        case "confirmed":
          entry.settle(CONFIRMED);
          break;
        case "returned":
          entry.settle(failed("returned", unroutable(result.reason)));
          break;
        case "nacked":
          entry.nack = result.reason;
          entry.nacks++;
          entry.retryTimer = setTimeout(() => this.#again(entry), backoffDelayMs(entry.nacks));
          break;
        case "ambiguous":
          entry.inDoubt = true;
          this.#again(entry);
          break;
        case "unsent":
          if (result.isUnwritable) {
            entry.settle(failed("unsent", `The event cannot be written: ${result.reason}`));
          } else this.#again(entry);
          break;
      }
    }
    this.#pump();
  }

  #again(entry: Entry): void {
    this.#waiting.push(entry);
    this.#waiting.sort((a, b) => a.sequence - b.sequence);
    this.#pump();
  }

  /** Settles what is past its deadline with the most that is known of it. */
  #expire(): void {
    const now = performance.now();
    for (const entry of this.#outstanding) {
      if (entry.deadline > now) break;
      entry.settle(this.#expired(entry, this.#publishTimeoutMs));
    }
    this.#waiting = this.#waiting.filter((entry) => this.#outstanding.has(entry));
  }

  #settleAll(timeoutMs: number): void {
    for (const entry of [...this.#outstanding]) entry.settle(this.#expired(entry, timeoutMs));
    this.#waiting = [];
  }

  #expired(entry: Entry, timeoutMs: number): PublishOutcome {
    const within = `within ${timeoutMs} ms`;
    if (entry.nack !== undefined) {
      return failed("nacked", `The broker did not take the event ${within}: ${entry.nack}`);
    }
    if (entry.inDoubt || entry.inFlight) {
      return failed(
        "ambiguous",
        `No confirm came ${within}: the broker may have the event, or not`,
      );
    }
    const why = this.#channel?.blocked
      ? "it takes no more for now"
      : "there is no connection to it";
    return failed("unsent", `The event could not be sent to the broker ${within}: ${why}`);
  }

  #stopExpiry(): void {
    clearInterval(this.#expiryTimer);
    this.#expiryTimer = undefined;
  }

  async #onLink(link: Link): Promise<PublishChannel> {
    for (const exchange of this.#exchanges) await this.#requireExchange(link, exchange);
    const channel = await PublishChannel.open(link, this.#options);
    channel.onReady = () => this.#pump();
    this.#channel = channel;
    this.#pump();
    return channel;
  }

  /**
   * Publishing to an exchange that does not exist closes the channel, again and again: so it is
   * looked for first, and what waits is told instead of waiting for its deadline.
   */
  async #requireExchange({ model }: Link, exchange: string): Promise<void> {
    try {
      await requireExchange(model, exchange);
    } catch (error) {
      if (error instanceof TopologyMissingError) {
        for (const entry of [...this.#outstanding]) {
          entry.settle(failed(entry.inDoubt ? "ambiguous" : "returned", error.message));
        }
      }
      throw error;
    }
  }
}

function unroutable(reason: string): string {
  return `Nobody would read the event: ${reason}. Run: deno task setup-queues`;
}
