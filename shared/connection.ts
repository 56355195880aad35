/**
 * One long-lived connection to the broker that heals itself: amqplib's recovery, plus what it leaves
 * to its user (channels and consumers are ours to rebuild, a list of nodes, a bounded first wait).
 */
import {
  type Channel,
  type ChannelModel,
  connect,
  type RecoveringChannelModel,
  type SocketOptions,
} from "amqplib";
import { NodeRotation, parseNode } from "./broker_nodes.ts";
import { redactUrl } from "./config.ts";
import { isRefusal, refused, sandboxRefusal, unreachable } from "./connection_errors.ts";
import { EcoMarketError, messageOf } from "./errors.ts";
import type { Logger } from "./log.ts";

/** How long a first connection may take before it is given up. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** Seconds between heartbeats: a link that carries nothing for twice that long is dead. */
export const DEFAULT_HEARTBEAT_S = 10;

/**
 * One connection that is not mended when it breaks: for a single look at the broker, and for the
 * workshop's first two publishers.
 *
 * @throws {AccessRefusedError} when a broker refuses the credentials or the virtual host.
 * @throws {BrokerUnreachableError} when none answered within `timeoutMs`.
 */
export async function connectOnce(
  urls: readonly string[],
  role: string,
  timeoutMs: number = DEFAULT_CONNECT_TIMEOUT_MS,
): Promise<ChannelModel> {
  const failures: unknown[] = [];
  for (const url of urls) {
    try {
      const node = parseNode(url, DEFAULT_HEARTBEAT_S);
      const model = await connect(node, socketOptions(role, timeoutMs / urls.length));
      model.on("error", () => {}); // The channel that is in use tells; unheard, it would end the process.
      return model;
    } catch (error) {
      failures.push(error);
    }
  }
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures);
  const shown = urls.map(redactUrl).join(", ");
  throw sandboxRefusal(cause) ??
    (isRefusal(cause) ? refused(shown, cause) : unreachable(shown, timeoutMs, cause));
}

/**
 * Closes `channel` and then its connection, within about two seconds also when the link is stalled.
 * n.b. amqplib's `connection.close()` overtakes what its channels have not written yet: without
 * closing the channel first, the last messages and acks would never leave.
 */
export async function closeInOrder(channel: Channel, connection: ChannelModel): Promise<void> {
  const close = async () => {
    await channel.close();
    await connection.close();
  };
  const link = asLink(connection);
  await withinOrCut(close().catch(() => {}), link, CLOSE_TIMEOUT_MS); // Closed already: fine.
}

/** How to connect, and what to build on each new connection. */
export interface ConnectionOptions {
  /** `amqp:` or `amqps:` URLs, one per node, tried in turn. */
  readonly urls: readonly string[];
  /** Who connects, such as `publisher` or `email`: the name shown in the management UI. */
  readonly role: string;
  readonly log: Logger;
  /**
   * Builds the role's channels on a new connection. Called for the first one and for each recovered
   * one; when it rejects, the connection is closed and tried again later.
   */
  readonly setup: (link: Link) => Promise<void>;
  readonly onDisconnect?: (error: Error) => void;
  /** @default {@link DEFAULT_CONNECT_TIMEOUT_MS} */
  readonly connectTimeoutMs?: number;
  /** @default {@link DEFAULT_HEARTBEAT_S} */
  readonly heartbeatS?: number;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
}

/** One live connection, until it breaks. */
export interface Link {
  readonly model: ChannelModel;
  /**
   * Declares this link dead: it is cut at once, without a closing handshake that a stalled link
   * would never answer, and recovery begins.
   */
  destroy(reason: Error): void;
}

/** A connection that reconnects until it is closed. */
export interface BrokerConnection extends AsyncDisposable {
  /** Closes it for good, within about two seconds also when the link is stalled. */
  close(): Promise<void>;
}

/** How long a polite close may take before the socket is cut. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Reconnect after about 100, 200, 400, … ms, at most 1 s apart, spread by a jitter of 20 %. */
const RECOVERY = { initialDelay: 100, maxDelay: 1_000, factor: 2, jitter: 0.2 };

/**
 * Connects and keeps connected. Resolves once the first connection stands and `setup` has run.
 *
 * @throws {AccessRefusedError} when a broker refuses the credentials or the virtual host.
 * @throws {BrokerUnreachableError} when none answered within `connectTimeoutMs`.
 * @throws whatever {@link EcoMarketError} the first `setup` rejects with: trying again cannot mend it.
 */
export async function openConnection(options: ConnectionOptions): Promise<BrokerConnection> {
  const { log, urls } = options;
  const timeoutMs = options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
  const target = new NodeRotation(urls, options.heartbeatS ?? DEFAULT_HEARTBEAT_S);
  let link: Link | undefined;

  const connection = await connect(target.current, {
    ...socketOptions(options.role, timeoutMs),
    recovery: {
      ...RECOVERY,
      waitForConnect: false,
      setup: async (model: ChannelModel) => {
        // n.b. between setup and adoption amqplib listens to nothing: an error that nobody hears
        // would end the process.
        model.on("error", () => {});
        link = asLink(model);
        try {
          await failOnClose(model, options.setup(link));
        } catch (error) {
          link = undefined;
          throw error;
        }
      },
    },
  });
  // n.b. amqplib emits `error` besides `disconnect`; without a listener it would end the process.
  connection.on(
    "error",
    (error) => log.debug("Connection error: {reason}", { reason: messageOf(error) }),
  );
  connection.on("blocked", (reason: string) => {
    log.warning("The broker takes no more for now ({reason}): waiting", { reason });
  });
  connection.on("unblocked", () => log.info("The broker takes messages again"));
  connection.on("disconnect", (error: Error) => {
    link = undefined;
    target.moveOn();
    log.warning("Connection lost: {reason}. Reconnecting …", { reason: messageOf(error) });
    options.onDisconnect?.(error);
  });

  let connectedBefore = false;
  connection.on("connect", () => {
    log[connectedBefore ? "info" : "debug"]("Connected to {url}", { url: target.description });
    connectedBefore = true;
  });

  const close = () => withinOrCut(connection.close(), link, CLOSE_TIMEOUT_MS);
  try {
    await firstConnection(connection, target, {
      ...options,
      timeoutMs,
      isSettingUp: () => link !== undefined,
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { close, [Symbol.asyncDispose]: close };
}

function socketOptions(role: string, timeoutMs: number): SocketOptions {
  return {
    noDelay: true,
    // A node that accepts and then says nothing must not hold up the try of the next one.
    timeout: Math.min(timeoutMs, 5_000),
    clientProperties: { connection_name: `ecomarket ${role}` },
  };
}

interface FirstConnectionOptions {
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly signal?: AbortSignal;
  readonly isSettingUp: () => boolean;
}

/** Resolves at the first connection; rejects when waiting longer is useless or `timeoutMs` are over. */
function firstConnection(
  connection: RecoveringChannelModel,
  target: NodeRotation,
  { timeoutMs, log, signal, isSettingUp }: FirstConnectionOptions,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last: Error | undefined;
  let connected = false;
  const timer = setTimeout(
    () => reject(unreachable(target.description, timeoutMs, last)),
    timeoutMs,
  );
  // A connection that is being set up may be at work already: it is closed in order, a moment later.
  const onAbort = () => isSettingUp() || reject(signal?.reason);
  connection.on("connect-failed", (error: Error) => {
    // Before the first connection once is enough: what follows is an error, or a connection.
    const level = connected || !last ? "warning" : "debug";
    last = error;
    if (!connected) {
      if (signal?.aborted) return reject(signal.reason);
      if (error instanceof EcoMarketError) return reject(error);
      if (isRefusal(error)) return reject(refused(target.description, error));
      const denied = sandboxRefusal(error);
      if (denied) return reject(denied);
    }
    log[level]("Cannot connect to {url}: {reason}. Trying again …", {
      url: target.description,
      reason: messageOf(error),
    });
    target.moveOn();
  });
  connection.once("connect", () => {
    connected = true;
    resolve();
  });
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

/**
 * `work`, unless `model` closes first. amqplib attaches its own listeners only after setup: without
 * these, a connection that dies during setup would be adopted dead and never replaced. Where `work`
 * itself caused the end, its own explanation is the better one.
 */
async function failOnClose(model: ChannelModel, work: Promise<void>): Promise<void> {
  const { promise: closed, reject } = Promise.withResolvers<never>();
  const onClose = (error?: Error) => reject(error ?? new Error("Connection closed during setup"));
  model.on("close", onClose);
  model.on("error", onClose);
  const explained = closed.catch((closeError) =>
    work.then(() => Promise.reject(closeError), (workError) => {
      throw workError instanceof EcoMarketError ? workError : closeError;
    })
  );
  try {
    await Promise.race([work, explained]);
  } finally {
    model.off("close", onClose);
    model.off("error", onClose);
    explained.catch(() => {});
  }
}

function asLink(model: ChannelModel): Link {
  return {
    model,
    destroy(reason) {
      // n.b. amqplib offers only a closing handshake. Its connection ends on an error of its socket
      // (`connection.js:474@2.3.1`), so that is what it is given.
      const { stream } = model.connection as unknown as { stream: { destroy(error: Error): void } };
      stream.destroy(reason);
    },
  };
}

/**
 * `closing`, or the link is cut after `timeoutMs`. n.b. amqplib's `close()` never settles when the
 * closing handshake is not answered, not even after its socket is gone.
 */
async function withinOrCut(
  closing: Promise<void>,
  link: Link | undefined,
  timeoutMs: number,
): Promise<void> {
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    link?.destroy(new Error("No answer to the closing handshake"));
    resolve();
  }, timeoutMs);
  try {
    await Promise.race([closing, cut]);
  } finally {
    clearTimeout(timer);
  }
}
