/**
 * HTTP over `node:http`, which bounds what one client may take: `Deno.serve` waits for half a request
 * for ever (2.9). A connection that is too slow, or says what is no HTTP, is told so and closed.
 */
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import { lastWords, problem } from "./problem.ts";
import type { RequestsUnderWay } from "./requests_under_way.ts";

/** What a client may take of a server. */
export interface HttpBounds {
  /** How long a request's header may take to arrive. @default 5000 */
  readonly headerTimeoutMs?: number;
  /** How long a whole request may take to arrive, its header included. @default 10000 */
  readonly requestTimeoutMs?: number;
  /** How long a connection may stand without a byte on it. @default 65000 */
  readonly idleTimeoutMs?: number;
  /** Connections that may stand at once. A further one is closed. @default 800 */
  readonly maxConnections?: number;
}

/** What a {@link boundedServer} does. */
export interface BoundedServerOptions extends HttpBounds {
  readonly handler: (request: Request) => Response | Promise<Response>;
  /** Is told of every request. */
  readonly underWay: RequestsUnderWay;
  readonly log: Logger;
}

const DEFAULT_HEADER_TIMEOUT_MS = 5_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;
/**
 * n.b. below the 1024 files that a process may often open: without one left, `node:http` accepts
 * nothing any more, also later (Deno 2.9).
 */
const DEFAULT_MAX_CONNECTIONS = 800;

/**
 * Longer than load balancers keep a connection, usually 60 s: the side that sends requests must be the
 * first to close, or a request meets a connection that is gone.
 */
const DEFAULT_IDLE_TIMEOUT_MS = 65_000;

/** Bytes of a request's header, its URL included: what `node:http` takes by itself, named. */
const MAX_HEADER_BYTES = 16 * 1024;

/** Into how many parts the header's time is cut: connections are looked at after each. */
const CHECKS_PER_DEADLINE = 10;

/** A server that does not listen yet. */
export function boundedServer(options: BoundedServerOptions): Server {
  const { handler, underWay, log } = options;
  const requestTimeout = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  // A header is part of its request. n.b. node:http refuses a longer time for it.
  const headersTimeout = Math.min(
    options.headerTimeoutMs ?? DEFAULT_HEADER_TIMEOUT_MS,
    requestTimeout,
  );
  const idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
  const answer = getRequestListener(handler, {
    errorHandler: (error) => {
      if (error instanceof RequestError) return problem(400, error.message);
      log.error("A request failed: {reason}", { reason: messageOf(error) });
      return problem(500, "Something went wrong here. The log says more");
    },
  });
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval: headersTimeout / CHECKS_PER_DEADLINE,
    keepAliveTimeout: idleTimeoutMs,
  }, (request, response) => {
    underWay.add(response);
    response.once("finish", () => {
      if (!request.complete) hangUp(request.socket, headersTimeout);
    });
    void answer(request, response);
  });
  // Between requests the one above counts; this one is for a client that does not read its answers.
  server.setTimeout(idleTimeoutMs, (connection) => connection.destroy());
  server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  server.on("clientError", (error: NodeJS.ErrnoException, connection) => {
    log.debug("A connection is closed: {reason}", { reason: error.code ?? error.message });
    dismiss(connection, underWay.isOwedOn(connection) ? undefined : complaint(error.code));
  });
  warnWhenFull(server, log);
  return server;
}

/**
 * Ends `connection`, whose request is answered and not sent to its end: no deadline counts for the
 * rest. n.b. what still comes is read until the other side closes, within `timeoutMs`: closing at once
 * would reset the connection, and the answer with it.
 */
function hangUp(connection: Socket, timeoutMs: number): void {
  const timer = setTimeout(() => connection.destroy(), timeoutMs);
  connection.once("close", () => clearTimeout(timer));
  connection.end();
  connection.resume();
}

/** Ends `connection`, with `words` where they can still be said. */
function dismiss(connection: Duplex, words: string | undefined): void {
  if (words === undefined || !connection.writable) connection.destroy();
  else connection.end(words, () => connection.destroy());
}

function complaint(code: string | undefined): string {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return lastWords(408, "The request did not arrive whole in time: nothing was changed");
    case "HPE_HEADER_OVERFLOW":
      return lastWords(431, "The request's header is too long");
    default:
      return lastWords(400, "This is no HTTP/1.1 request");
  }
}

/** Warns once when connections are refused, and again only after one was accepted. */
function warnWhenFull(server: Server, log: Logger): void {
  let isFull = false;
  server.on("connection", () => isFull = false);
  server.on("drop", () => {
    if (isFull) return;
    isFull = true;
    log.warning("{maxConnections} connections stand: further ones are closed at once", {
      maxConnections: server.maxConnections,
    });
  });
}
