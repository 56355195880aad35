/**
 * A link that can be broken: a TCP proxy on the loopback, between a role and its broker. What it did
 * is counted, so that a test can prove that its fault happened.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  type CloseCode,
  connectionName,
  forcedClose,
  FrameTracker,
  type SetUpReply,
} from "./amqp_frames.ts";

interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** What the broker answers. */
  readonly answers: FrameTracker;
  /** The client's name for its connection, once it has said so. */
  name: string | undefined;
  /** The client was told that the broker has closed: nothing passes any more. */
  isClosed: boolean;
}

/** A close that is still to be put behind an answer. */
interface PlannedClose {
  readonly reply: SetUpReply;
  /** On which connection; on any where there is none. */
  readonly connectionName: string | undefined;
  readonly code: CloseCode | undefined;
}

/** Nothing passes before it is opened. */
interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function closedGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/**
 * Relays bytes until it is told to cut, stall, slow down or refuse, and counts each of these.
 * Disposing of it closes every connection.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #target: Deno.ConnectOptions;
  readonly #pairs = new Set<Pair>();
  readonly #relays = new Set<Promise<void>>();
  #gate: Gate | undefined;
  #answerGate: Gate | undefined;
  #bytesPerSecond: number | undefined;
  #cutInNextChunk = false;
  #refusing = false;
  readonly #plannedCloses = new Set<PlannedClose>();
  #joined: SetUpReply | undefined;

  /** Connections that were relayed so far. */
  connections = 0;
  /** Connections that were cut or refused so far. */
  cuts = 0;
  /** Bytes that were held back by {@link stall} so far. */
  bytesHeld = 0;
  /** Bytes that {@link slow} let pass so far. */
  bytesSlowed = 0;
  /** Connections that were closed by {@link closeBehind} so far. */
  closesBehind = 0;

  private constructor(target: Deno.ConnectOptions) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#track(this.#accept());
  }

  /** Connections that stand now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** A proxy on a free port before the broker of `amqpUrl`. */
  static before(amqpUrl: string): TcpProxy {
    const { hostname, port } = new URL(amqpUrl);
    return new TcpProxy({ hostname, port: Number(port) });
  }

  /** `amqpUrl`, by way of this proxy. */
  urlFor(amqpUrl: string): string {
    const url = new URL(amqpUrl);
    url.hostname = "127.0.0.1";
    url.port = String((this.#listener.addr as Deno.NetAddr).port);
    return url.href;
  }

  /** Cuts every connection. New ones are relayed. */
  cut(): void {
    for (const pair of this.#pairs) this.#close(pair);
  }

  /** Cuts the first connection on which the client writes next, in the middle of what it writes. */
  cutInNextChunk(): void {
    this.#cutInNextChunk = true;
  }

  /**
   * Closes a connection in the very moment of an answer: puts the broker's `connection.close` directly
   * behind its next `reply`, in the same write. Once for each call, and only on a connection of the
   * name `connectionName`, where one is given.
   *
   * @param code @default 320, as of a broker that is shut down
   */
  closeBehind(reply: SetUpReply, connectionName?: string, code?: CloseCode): void {
    this.#plannedCloses.add({ reply, connectionName, code });
  }

  /** Puts the broker's next `reply` and what it sends next into one write. */
  joinBehind(reply: SetUpReply): void {
    this.#joined = reply;
  }

  /** Cuts every connection and refuses new ones until {@link restore}. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Half-open: connections stand, and no byte passes, until {@link restore}. */
  stall(): void {
    this.#gate ??= closedGate();
  }

  /** What clients write passes, what they are answered does not, until {@link restore}. */
  holdAnswers(): void {
    this.#answerGate ??= closedGate();
  }

  /** Lets `bytesPerSecond` pass in each direction of each connection, until {@link restore}. */
  slow(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Ends whatever was begun. Bytes that were held pass. */
  restore(): void {
    this.#refusing = false;
    this.#plannedCloses.clear();
    this.#bytesPerSecond = undefined;
    this.#gate?.open();
    this.#gate = undefined;
    this.#answerGate?.open();
    this.#answerGate = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.restore();
    this.cut();
    while (this.#relays.size > 0) await Promise.all(this.#relays);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      if (this.#refusing) {
        this.cuts++;
        client.close();
      } else this.#track(this.#relay(client));
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect(this.#target).catch(() => undefined);
    if (!server) return client.close();
    const pair: Pair = {
      client,
      server,
      answers: new FrameTracker(),
      name: undefined,
      isClosed: false,
    };
    this.#pairs.add(pair);
    this.connections++;
    await Promise.all([
      this.#copy(pair, client, server, true),
      this.#copy(pair, server, client, false),
    ]);
  }

  async #copy(pair: Pair, from: Deno.TcpConn, to: Deno.TcpConn, isOutward: boolean): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    let held: Uint8Array = new Uint8Array();
    try {
      for (;;) {
        const length = await from.read(buffer);
        if (length === null) break;
        await this.#pass(length, isOutward);
        const chunk = Uint8Array.from([...held, ...buffer.subarray(0, length)]);
        if (isOutward) pair.name ??= connectionName(chunk);
        else {
          const due = await this.#due(pair, chunk.subarray(held.length));
          if (due === "closed") return; // The client hangs up.
          held = due === "held" ? chunk : new Uint8Array();
          if (due === "held") continue;
        }
        if (pair.isClosed) continue; // It answers the close: that is not for the broker.
        if (isOutward && this.#cutInNextChunk) {
          this.#cutInNextChunk = false;
          await writeAll(to, chunk.subarray(0, Math.ceil(length / 2)));
          break;
        }
        await writeAll(to, chunk);
      }
    } catch {
      // Either side may go at any time: that is what a link does.
    }
    this.#close(pair);
  }

  async #pass(length: number, isOutward: boolean): Promise<void> {
    const gate = () => this.#gate ?? (isOutward ? undefined : this.#answerGate);
    if (gate()) this.bytesHeld += length;
    for (let closed = gate(); closed; closed = gate()) await closed.opened;
    if (this.#bytesPerSecond === undefined) return;
    this.bytesSlowed += length;
    await delay(length / this.#bytesPerSecond * 1000);
  }

  /** Does what is planned for `chunk`, the broker's next one: closes behind it, or holds it. */
  async #due(pair: Pair, chunk: Uint8Array): Promise<"closed" | "held" | undefined> {
    const planned = [...this.#plannedCloses].find(({ connectionName }) =>
      connectionName === undefined || connectionName === pair.name
    );
    const [end] = pair.answers.endsOf(planned?.reply ?? this.#joined, chunk);
    if (end === undefined) return undefined;
    if (!planned) {
      this.#joined = undefined;
      return "held";
    }
    pair.isClosed = true;
    await writeAll(
      pair.client,
      Uint8Array.from([...chunk.subarray(0, end), ...forcedClose(planned.code)]),
    );
    this.#plannedCloses.delete(planned);
    this.closesBehind++;
    return "closed";
  }

  #close(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    this.cuts++;
    pair.client.close();
    pair.server.close();
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#relays.delete(tracked));
    this.#relays.add(tracked);
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
}
