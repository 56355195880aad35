/**
 * A long-lived connection to the broker that heals itself: one {@link Link} after the other, each with
 * what its role builds on it. Nothing that amqplib does or leaves undone can hold up the next one.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Channel, ChannelModel } from "amqplib";
import { aborted } from "../base/abort.ts";
import { EcoMarketError, messageOf, TlsRefusedError } from "../base/errors.ts";
import { redactUrl } from "../process/config.ts";
import type { Logger } from "../process/log.ts";
import { isRefusal, refused, sandboxRefusal, unreachable } from "./connection_errors.ts";
import { dial } from "./dial.ts";
import { CLOSE_TIMEOUT_MS, type Link, type LinkUser, LiveLink } from "./link.ts";
import { NodeRotation } from "./node_rotation.ts";

/** How long a first connection may take before it is given up. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** A node that accepts and then says nothing must not hold up the try of the next one. */
const MAX_SILENCE_MS = 5_000;

/**
 * One connection that is not mended when it breaks: for a single look at the broker, and for the
 * workshop's first two publishers.
 *
 * @throws {AccessRefusedError} when a broker refuses the credentials or the virtual host.
 * @throws {TlsRefusedError} when the connection cannot be encrypted as the URL demands.
 * @throws {BrokerUnreachableError} when none answered within `timeoutMs`.
 */
export async function connectOnce(
  urls: readonly string[],
  role: string,
  timeoutMs: number = DEFAULT_CONNECT_TIMEOUT_MS,
): Promise<ChannelModel> {
  const startedAt = performance.now();
  const failures: unknown[] = [];
  for (const url of urls) {
    try {
      const model = await dial(url, { role, timeoutMs: silenceMs(timeoutMs / urls.length) });
      model.on("error", () => {}); // The channel that is in use tells; unheard, it would end the process.
      return model;
    } catch (error) {
      failures.push(error);
    }
  }
  const explained = failures.find((error) => error instanceof EcoMarketError);
  if (explained) throw explained;
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures);
  const shown = urls.map(redactUrl).join(", ");
  const waitedMs = performance.now() - startedAt;
  throw sandboxRefusal(cause) ??
    (isRefusal(cause) ? refused(shown, cause) : unreachable(shown, waitedMs, cause));
}

/**
 * Closes `channel` and then its connection, within about two seconds also when the link is stalled.
 * n.b. amqplib's `connection.close()` overtakes what its channels have not written yet: without
 * closing the channel first, the last messages and acks would never leave.
 */
export async function closeInOrder(channel: Channel, connection: ChannelModel): Promise<void> {
  await new LiveLink(connection).closeBy(async () => {
    await channel.close();
    await connection.close();
  });
}

/** How to connect, and what to build on each new link. */
export interface ConnectionOptions {
  /** `amqp:` or `amqps:` URLs, one per node, tried in turn. */
  readonly urls: readonly string[];
  /** Who connects, such as `publisher` or `email`: the name shown in the management UI. */
  readonly role: string;
  readonly log: Logger;
  /**
   * Builds the role's channels on a new link, and resolves with who can tell whether they live.
   * Called for the first link and for each one after it; when it rejects, or takes longer than
   * `setupTimeoutMs`, the link is closed and another one is tried later.
   */
  readonly setup: (link: Link) => Promise<LinkUser>;
  /** Is told of every link that has ended, also of one whose set-up failed. */
  readonly onDisconnect?: () => void;
  /** @default {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeoutMs?: number;
  /** In seconds. @default 10 */
  readonly heartbeatS?: number;
  /** How long a set-up may take. @default 60000 */
  readonly setupTimeoutMs?: number;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
}

/** A connection that reconnects until it is closed. */
export interface BrokerConnection extends AsyncDisposable {
  /** Closes it for good, within about two seconds also when the link is stalled. */
  close(): Promise<void>;
}

/** How often who uses a link is asked whether it is alive. */
const LIVENESS_CHECK_MS = 1_000;
/** n.b. of a broker that lives and does not answer, no heartbeat tells. */
const DEFAULT_SETUP_TIMEOUT_MS = 60_000;
/** Reconnect after about 100, 200, 400, … ms, at most 1 s apart, spread by a jitter of 20 %. */
const RECONNECT = { firstMs: 100, maxMs: 1_000, jitter: 0.2 };

/**
 * Connects and keeps connected. Resolves once the first link stands and `setup` has run.
 *
 * @throws {AccessRefusedError} when a broker refuses the credentials or the virtual host.
 * @throws {TlsRefusedError} when no node can be reached encrypted as its URL demands. Once connected,
 * it is tried again, with a warning: certificates are renewed while a role runs.
 * @throws {BrokerUnreachableError} when none answered within `connectTimeoutMs`.
 * @throws whatever {@link EcoMarketError} the first `setup` rejects with: trying again cannot mend it.
 */
export async function openConnection(options: ConnectionOptions): Promise<BrokerConnection> {
  const connection = new HealingConnection(options);
  try {
    await connection.open();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return connection;
}

class HealingConnection implements BrokerConnection {
  readonly #options: ConnectionOptions;
  readonly #timeoutMs: number;
  readonly #target: NodeRotation;
  readonly #closing = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #connectedBefore = false;
  #lastFailure: unknown;
  /** The nodes to which TLS let no connection come about so far. */
  readonly #refusedByTls = new Set<string>();
  /** The link that stands, or is being set up. */
  #link: LiveLink | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timeoutMs = options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    this.#target = new NodeRotation(options.urls);
  }

  /** Resolves at the first link; rejects when waiting longer is useless or the time is over. */
  async open(): Promise<void> {
    const { signal } = this.#options;
    const timer = setTimeout(() => {
      const { description } = this.#target;
      this.#first.reject(unreachable(description, this.#timeoutMs, this.#lastFailure));
    }, this.#timeoutMs);
    // A link that is being set up may be at work already: it is closed in order, a moment later.
    const onAbort = () => {
      if (!this.#link) this.#first.reject(signal?.reason);
    };
    if (signal?.aborted) onAbort();
    else void this.#keepConnected();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#first.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#link?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One link after the other, until {@link close}. Never rejects. */
  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const reason = await this.#live();
        if (signal.aborted) return;
        this.#options.log.warning("Connection lost: {reason}. Reconnecting …", {
          reason: messageOf(reason),
        });
        attempt = 1;
      } catch (error) {
        if (signal.aborted) return;
        this.#onFailure(error);
      }
      this.#target.moveOn();
      await delay(reconnectDelayMs(attempt), undefined, { signal }).catch(() => {}); // Closed.
    }
  }

  /** The life of one link: resolves with why it ended, and rejects when it never stood. */
  async #live(): Promise<unknown> {
    const { log, role, heartbeatS, onDisconnect } = this.#options;
    const model = await dial(this.#target.current, {
      role,
      timeoutMs: silenceMs(this.#timeoutMs),
      ...(heartbeatS === undefined ? {} : { heartbeatS }),
    });
    const link = new LiveLink(model);
    model.on("blocked", (reason: string) => {
      log.warning("The broker takes no more for now ({reason}): waiting", { reason });
    });
    model.on("unblocked", () => log.info("The broker takes messages again"));
    if (this.#closing.signal.aborted) return await link.close();
    this.#link = link;
    try {
      const user = await this.#setUp(link);
      this.#onConnected();
      return await untilEnded(link, user);
    } catch (error) {
      await link.close();
      throw error;
    } finally {
      this.#link = undefined;
      onDisconnect?.();
    }
  }

  /** What `setup` builds. Rejects when the link has ended by then, or the set-up takes too long. */
  async #setUp(link: LiveLink): Promise<LinkUser> {
    const { setup, setupTimeoutMs = DEFAULT_SETUP_TIMEOUT_MS } = this.#options;
    const timer = setTimeout(
      () => link.destroy(new Error(`The broker did not answer all within ${setupTimeoutMs} ms`)),
      setupTimeoutMs,
    );
    try {
      const work = setup(link);
      const user = await Promise.race([work, explainedEnd(link, work)]);
      // n.b. the broker's close may come in the same read as the last answer that set-up waited for.
      link.signal.throwIfAborted();
      return user;
    } finally {
      clearTimeout(timer);
    }
  }

  #onConnected(): void {
    this.#options.log[this.#connectedBefore ? "info" : "debug"]("Connected to {url}", {
      url: this.#target.description,
    });
    this.#connectedBefore = true;
    this.#first.resolve();
  }

  #onFailure(error: unknown): void {
    const { log, signal } = this.#options;
    // Before the first link once is enough: what follows is an error, or a connection.
    const level = this.#connectedBefore || !this.#lastFailure ? "warning" : "debug";
    this.#lastFailure = error;
    if (!this.#connectedBefore) {
      const final = signal?.aborted ? signal.reason : this.#finalError(error);
      if (final) return this.#first.reject(final);
    }
    log[level]("Cannot connect to {url}: {reason}. Trying again …", {
      url: this.#target.description,
      reason: messageOf(error),
    });
  }

  /** What to tell instead of trying again, where that is useless. */
  #finalError(error: unknown): Error | undefined {
    if (error instanceof TlsRefusedError) {
      // The certificate of one node says nothing about another's.
      this.#refusedByTls.add(this.#target.current);
      return this.#refusedByTls.size === this.#options.urls.length ? error : undefined;
    }
    if (error instanceof EcoMarketError) return error;
    if (isRefusal(error)) return refused(this.#target.description, error);
    return sandboxRefusal(error);
  }
}

/** The `attempt`-th wait in a row, counted from 1. */
function reconnectDelayMs(attempt: number): number {
  const { firstMs, maxMs, jitter } = RECONNECT;
  const base = Math.min(firstMs * 2 ** (attempt - 1), maxMs / (1 + jitter));
  return base * (1 + jitter * (2 * Math.random() - 1));
}

/** Resolves with the reason once `link` has ended; ends it itself when nothing works on it any more. */
async function untilEnded(link: LiveLink, user: LinkUser): Promise<unknown> {
  const watch = setInterval(() => {
    if (link.isStanding && user.isAlive()) return;
    link.destroy(new Error("nothing works on it any more"));
  }, LIVENESS_CHECK_MS);
  await aborted(link.signal);
  clearInterval(watch);
  return link.signal.reason;
}

/** Rejects once `link` has ended. Where `work` itself caused that, its own explanation is better. */
async function explainedEnd(link: LiveLink, work: Promise<unknown>): Promise<never> {
  await aborted(link.signal);
  const explanation = work.then(() => undefined, (error: unknown) => error);
  const error = await Promise.race([explanation, aborted(AbortSignal.timeout(CLOSE_TIMEOUT_MS))]);
  throw error instanceof EcoMarketError ? error : link.signal.reason;
}

/** How long a node may be silent while a connection is made. */
function silenceMs(timeoutMs: number): number {
  return Math.min(timeoutMs, MAX_SILENCE_MS);
}
