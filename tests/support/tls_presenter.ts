/** A port that presents a certificate, and passes what comes to a broker behind it: real TLS, real AMQP. */
import type { KeyPair } from "@ecomarket/setup/machine/certificates";

/** Presents a certificate on a free port of the loopback. */
export class TlsPresenter implements AsyncDisposable {
  readonly #listener: Deno.TlsListener;
  readonly #accepting: Promise<void>;
  readonly #open = new Set<Deno.Conn>();

  private constructor(
    options: Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem,
    targetPort?: number,
  ) {
    this.#listener = Deno.listenTls(options);
    this.#accepting = this.#accept(targetPort);
  }

  /** Presents the certificate in `files`. What comes is passed on to `targetPort`, in clear text. */
  static async open(files: KeyPair, targetPort?: number, port = 0): Promise<TlsPresenter> {
    const [cert, key] = await Promise.all(
      [files.certificate, files.key].map((path) => Deno.readTextFile(path)),
    );
    return new TlsPresenter({ hostname: "127.0.0.1", port, cert: cert!, key: key! }, targetPort);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#accepting;
  }

  async #accept(targetPort?: number): Promise<void> {
    const passing: Promise<void>[] = [];
    for (;;) {
      try {
        passing.push(this.#pass(await this.#listener.accept(), targetPort));
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          break;
        }
      }
    }
    await Promise.all(passing);
  }

  async #pass(client: Deno.TlsConn, targetPort?: number): Promise<void> {
    this.#open.add(client);
    try {
      await client.handshake();
      if (targetPort === undefined) return;
      const server = await Deno.connect({ hostname: "127.0.0.1", port: targetPort });
      this.#open.add(server);
      await Promise.allSettled([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
      close(server);
    } catch {
      // The client does not accept the certificate, or has gone: that is what is tested.
    } finally {
      close(client);
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
