/** What a role tells of itself on the loopback: that it lives, whether it works, and how much. */
import { Hono } from "hono";
import type { Registry } from "prom-client";
import { messageOf } from "../base/errors.ts";
import { jsonAnswer } from "../http/json_answer.ts";
import { methodNotAllowed, problem } from "../http/problem.ts";
import { serveHttp } from "../http/serve_http.ts";
import type { Logger } from "../process/log.ts";

/** How a role is, in the words that every role uses. What else it tells is its own. */
export interface HealthReport {
  /**
   * `ready`: it does its work. `degraded`: it rests on purpose, or does a part of it, and nobody
   * needs to replace it. `unavailable`: it cannot do its work.
   */
  readonly status: "ready" | "degraded" | "unavailable";
}

/** What a role tells. */
export interface HealthSource {
  readonly readiness: () => HealthReport | Promise<HealthReport>;
  readonly metrics: Pick<Registry, "contentType" | "metrics">;
  readonly log: Logger;
}

/** A server that tells it. Disposing of it waits for nobody. */
export interface HealthServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
}

/** Connections that may stand at once: a scraper and a check need two. */
const MAX_CONNECTIONS = 20;
/** How long a request that is under way may hold up the end of its role. */
const SHUTDOWN_TIMEOUT_MS = 100;

/**
 * Answers on 127.0.0.1 alone, whatever else the role serves elsewhere. A `port` of 0 is any free one;
 * the log tells which.
 *
 * @throws {ListenError} that names `HEALTH_PORT`, when the port is in use or not allowed.
 */
export async function serveHealth(port: number, source: HealthSource): Promise<HealthServer> {
  const { log } = source;
  const server = await serveHttp({
    host: "127.0.0.1",
    port,
    handler: createHealthApp(source).fetch,
    choosePort: (other) => `HEALTH_PORT=${other}`,
    log,
    maxConnections: MAX_CONNECTIONS,
    shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
  });
  log.info("Health at {healthUrl}", { healthUrl: server.url });
  return { url: server.url, [Symbol.asyncDispose]: () => server.shutdown() };
}

/**
 * | request        | answer |
 * |----------------|--------|
 * | `GET /healthz` | 200 while the process answers at all |
 * | `GET /readyz`  | the report: 200, or 503 where it is `unavailable` |
 * | `GET /metrics` | the metrics, in Prometheus' text format |
 */
export function createHealthApp({ readiness, metrics, log }: HealthSource): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => c.json({ status: "ok" }, 200, NO_STORE));
  app.get("/readyz", async () => reportResponse(await readiness()));
  app.get(
    "/metrics",
    async (c) =>
      c.body(await metrics.metrics(), 200, { ...NO_STORE, "Content-Type": metrics.contentType }),
  );
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    app.all(path, () => methodNotAllowed("GET, HEAD"));
  }
  app.notFound(() => problem(404, "There is nothing here. Try /healthz, /readyz or /metrics"));
  app.onError((error, c) => {
    log.error("{path} failed: {reason}", { path: c.req.path, reason: messageOf(error) });
    return problem(500, "Something went wrong here. The log says more");
  });
  return app;
}

/** What `GET /readyz` is answered: `report`, with 200, or 503 where it is `unavailable`. */
export function reportResponse(report: HealthReport): Response {
  return jsonAnswer(report, report.status === "unavailable" ? 503 : 200, NO_STORE);
}

const NO_STORE = { "Cache-Control": "no-store" };
