/** A client that sends what it is told to, byte for byte, and hears whatever is answered. */

/**
 * One TCP connection: sends each text as it is, and keeps all that it hears until either side
 * closes.
 */
export class RawClient implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #heard: Promise<string>;
  /** What was heard so far. */
  heard = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#heard = this.#hear();
  }

  /** Connects to the server at `url`, such as `http://127.0.0.1:8000`. */
  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    return new RawClient(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Resolves with all that was heard, once the server has closed or cut the connection. */
  get closed(): Promise<string> {
    return this.#heard;
  }

  /** Sends `text`, and says whether that was possible: the server may close at any moment. */
  async send(text: string): Promise<boolean> {
    let bytes = new TextEncoder().encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await this.#connection.write(bytes));
      return true;
    } catch {
      return false;
    }
  }

  async #hear(): Promise<string> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let length; (length = await this.#connection.read(buffer)) !== null;) {
        this.heard += decoder.decode(buffer.subarray(0, length), { stream: true });
      }
    } catch {
      // Cut, by either side: what was heard is all there is.
    }
    return this.heard;
  }

  #isClosed = false;

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) this.#connection.close();
    this.#isClosed = true;
    await this.#heard;
  }
}
