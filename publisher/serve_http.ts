/** An HTTP server that says why it cannot listen, and ends in order. */
import { aborted } from "@ecomarket/shared/abort";
import { EcoMarketError, messageOf } from "@ecomarket/shared/errors";
import type { Logger } from "@ecomarket/shared/log";
import { problem } from "./problem.ts";

/** Nobody can be listened to at this address. */
export class ListenError extends EcoMarketError {
  override readonly code = "CANNOT_LISTEN";
}

/** Where to listen, and what to answer. */
export interface HttpOptions {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly handler: (request: Request) => Response | Promise<Response>;
  readonly log: Logger;
  /** How long requests that are under way may take once the server stops. @default 10000 */
  readonly shutdownTimeoutMs?: number;
}

/** A server that listens. */
export interface HttpServer {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /**
   * Takes no more requests: what comes is answered with 503. Resolves once those under way are
   * answered, or cut off.
   */
  shutdown(): Promise<void>;
}

const DEFAULT_SHUTDOWN_TIMEOUT_MS = 10_000;

/**
 * Listens at `host` and `port`.
 *
 * @throws {ListenError} when the port is in use, not allowed, or the address is not this machine's.
 */
export function serveHttp(
  { host, port, handler, log, shutdownTimeoutMs = DEFAULT_SHUTDOWN_TIMEOUT_MS }: HttpOptions,
): HttpServer {
  const cut = new AbortController();
  const work = new WorkUnderWay(handler);
  const server = listen(host, port, cut.signal, (request) => work.answer(request));
  const url = urlOf(server.addr);
  log.info("Listening on {url}", { url, state: "listening" });
  return {
    url,
    async shutdown() {
      const timer = setTimeout(() => {
        log.warning("Requests took longer than {shutdownTimeoutMs} ms: cut off", {
          shutdownTimeoutMs,
        });
        cut.abort();
      }, shutdownTimeoutMs);
      await Promise.race([work.finish(), aborted(cut.signal)]);
      if (!cut.signal.aborted) await server.shutdown();
      await server.finished;
      clearTimeout(timer);
    },
  };
}

/**
 * The requests that are not answered yet. n.b. `Deno.serve` tears off bodies that are still arriving
 * when it shuts down (2.9): so it may do that only once nobody waits for an answer.
 */
class WorkUnderWay {
  readonly #handler: HttpOptions["handler"];
  readonly #idle = Promise.withResolvers<void>();
  #underWay = 0;
  #isFinishing = false;

  constructor(handler: HttpOptions["handler"]) {
    this.#handler = handler;
  }

  async answer(request: Request): Promise<Response> {
    if (this.#isFinishing) return stopping();
    this.#underWay++;
    try {
      return await this.#handler(request);
    } finally {
      this.#underWay--;
      this.#tell();
    }
  }

  /** Refuses what comes from now on. Resolves once everything else is answered. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#tell();
    await this.#idle.promise;
  }

  #tell(): void {
    if (this.#isFinishing && this.#underWay === 0) this.#idle.resolve();
  }
}

function stopping(): Response {
  return problem(503, "This server is stopping: nothing was changed. Try again", {
    headers: { "Retry-After": "1", "Connection": "close" },
  });
}

function listen(
  hostname: string,
  port: number,
  signal: AbortSignal,
  handler: HttpOptions["handler"],
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, signal, onListen: () => {} }, handler);
  } catch (error) {
    // n.b. what the sandbox forbids is told in its own words, which name the flag to add.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new ListenError(adviceOn(error, hostname, port), { cause: error });
  }
}

function adviceOn(error: unknown, host: string, port: number): string {
  const where = `port ${port} of ${host}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return `Another program listens on ${where} already. Stop it, or choose another port: ` +
      `deno task users-api --port ${port === 65_535 ? port - 1 : port + 1}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `The system does not let this program listen on ${where}. Choose a port over 1023: ` +
      "deno task users-api --port 8000";
  }
  return `Cannot listen on ${where} (${messageOf(error)}). Check HOST and PORT.`;
}

function urlOf({ hostname, port }: Deno.NetAddr): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
