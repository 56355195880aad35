/**
 * One connection to the broker, from its handshake to its end. It ends once, for whatever reason, and
 * whoever asks later hears of it as well: nothing waits for an event that has been already.
 */
import type { Socket } from "node:net";
import type { ChannelModel } from "amqplib";
import { aborted } from "../base/abort.ts";

/** How long a closing handshake may take before the socket is cut. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** One live connection, until it ends. */
export interface Link {
  readonly model: ChannelModel;
  /** Aborts when the link has ended; its reason is why. */
  readonly signal: AbortSignal;
  /**
   * Declares this link dead: it is cut at once, without a closing handshake that a stalled link
   * would never answer, and a new one is built. Also where amqplib has nothing more to say of it.
   */
  destroy(reason: Error): void;
}

/** What a role has built on a link, as far as the connection is concerned. */
export interface LinkUser {
  /**
   * Whether it can still do its work there. Asked about once a second: where it says no, the link is
   * destroyed. Whoever rests on purpose is alive, and so is one whose broker is blocked.
   */
  isAlive(): boolean;
}

/**
 * A {@link Link} over one connection of amqplib. Its signal aborts exactly once, however the
 * connection ends.
 */
export class LiveLink implements Link {
  readonly #ended = new AbortController();
  readonly #socket: Socket;

  constructor(readonly model: ChannelModel) {
    this.#socket = socketOf(model);
    model.on("error", (error: Error) => this.destroy(error));
    // n.b. a forced close (320) emits `close` only (`connection.js:610-620@2.3.1`). Its answer is on
    // its way to the socket: the broker is given the time to take it, and to hang up.
    model.on("close", (error?: Error) => {
      this.#ended.abort(error ?? new Error("Connection closed"));
      this.#socket.setTimeout(CLOSE_TIMEOUT_MS, () => this.#socket.destroy());
    });
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Whether its socket takes bytes: the truth also where no event has told of the end. */
  get isStanding(): boolean {
    return !this.signal.aborted && !this.#socket.destroyed && this.#socket.writable;
  }

  destroy(reason: Error): void {
    this.#ended.abort(reason);
    // n.b. amqplib offers only a closing handshake. Its connection ends on an error of its socket
    // (`connection.js:315@2.3.1`), so that is what it is given.
    this.#socket.destroy(reason);
  }

  /** Closes it in order, or cuts it after two seconds. */
  async close(): Promise<void> {
    await this.closeBy(() => this.model.close());
  }

  /**
   * As {@link close}, by way of `handshake`. n.b. amqplib's `close()` never settles when the closing
   * handshake is not answered, not even after its socket is gone.
   */
  async closeBy(handshake: () => Promise<void>): Promise<void> {
    if (this.signal.aborted) return;
    const timer = setTimeout(
      () => this.destroy(new Error("No answer to the closing handshake")),
      CLOSE_TIMEOUT_MS,
    );
    await Promise.race([handshake().catch(() => {}), aborted(this.signal)]); // Closed already: fine.
    clearTimeout(timer);
  }
}

/** The socket below `model`, which amqplib has no name for. */
export function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as { stream: Socket }).stream;
}
