/** An HTTP server that waits for nobody for ever, says why it cannot listen, and ends in order. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { EcoMarketError, messageOf } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import { boundedServer, type HttpBounds } from "./bounded_server.ts";
import { problem } from "./problem.ts";
import { RequestsUnderWay } from "./requests_under_way.ts";

/** Nobody can be listened to at this address. */
export class ListenError extends EcoMarketError {
  override readonly code = "CANNOT_LISTEN";
}

/** Where to listen, what to answer, and what a client may take of us. */
export interface HttpOptions extends HttpBounds {
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly handler: (request: Request) => Response | Promise<Response>;
  /** How a person has it listen at another port, such as `HEALTH_PORT=9465`. */
  readonly choosePort: (port: number) => string;
  readonly log: Logger;
  /** How long requests that are under way may take once the server stops. @default 5000 */
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

const DEFAULT_SHUTDOWN_TIMEOUT_MS = 5_000;

/**
 * Listens at `host` and `port`.
 *
 * @throws {ListenError} when the port is in use, not allowed, or the address is not this machine's.
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { handler, log, shutdownTimeoutMs = DEFAULT_SHUTDOWN_TIMEOUT_MS } = options;
  const underWay = new RequestsUnderWay();
  const answer: HttpOptions["handler"] = (request) =>
    underWay.isFinishing ? stopping() : handler(request);
  const server = boundedServer({ ...options, handler: answer, underWay });
  const url = await listen(server, options);
  return {
    url,
    async shutdown() {
      const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
      const timeUp = new AbortController();
      const isTimeUp = delay(shutdownTimeoutMs, true, { signal: timeUp.signal }).catch(() => false);
      if (await Promise.race([underWay.finish().then(() => false), isTimeUp])) {
        log.warning("Requests took longer than {shutdownTimeoutMs} ms: cut off", {
          shutdownTimeoutMs,
        });
      }
      timeUp.abort();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function stopping(): Response {
  return problem(503, "This server is stopping: nothing was changed. Try again", {
    headers: { "Retry-After": "1", "Connection": "close" },
  });
}

async function listen(
  server: Server,
  { host: hostname, port, choosePort }: HttpOptions,
): Promise<string> {
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject).once("listening", listening.resolve);
  try {
    // n.b. where the sandbox says no, the listen of node:net ends the process (Deno 2.9), and that of
    // Deno throws: so that one is tried before.
    Deno.listen({ hostname, port }).close();
    server.listen(port, hostname);
    await listening.promise;
  } catch (error) {
    // What the sandbox forbids is told in its own words, which name the flag to add.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new ListenError(adviceOn(error, hostname, port, choosePort), { cause: error });
  }
  server.off("error", listening.reject);
  return urlOf(server.address() as AddressInfo);
}

function adviceOn(
  error: unknown,
  host: string,
  port: number,
  choosePort: HttpOptions["choosePort"],
): string {
  const where = `port ${port} of ${host}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return `Another program listens on ${where} already. Stop it, or choose another port: ` +
      choosePort(port === 65_535 ? port - 1 : port + 1);
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `The system does not let this program listen on ${where}. Choose a port over 1023: ` +
      choosePort(8_000);
  }
  return `Cannot listen on ${where} (${
    messageOf(error)
  }). Check that ${host} is an address of this machine.`;
}

function urlOf({ address, port }: AddressInfo): string {
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
