/**
 * `deno task users-api`: registers users and records their purchases over HTTP, and announces each to
 * whoever subscribed. A request waits for no subscriber and for no broker.
 */
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { aborted } from "@ecomarket/shared/base/abort";
import type { HealthServer } from "@ecomarket/shared/health/health_server";
import { serveHttp } from "@ecomarket/shared/http/serve_http";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import {
  databaseAddress,
  dataDir,
  healthPort,
  logConfig,
  roleAmqpUrls,
  usersApiConfig,
} from "@ecomarket/shared/process/config";
import { configureLog, type Logger, roleLogger } from "@ecomarket/shared/process/log";
import { type CommandContext, print, runCommand } from "@ecomarket/shared/process/main";
import { reportMemory } from "@ecomarket/shared/process/memory_report";
import { BacklogWatch } from "../outbox/backlog.ts";
import { OutboxRelay } from "../outbox/relay.ts";
import type { ApiStore } from "./api_store.ts";
import { type AppOptions, createApp } from "./app.ts";
import { pruneKeys } from "./key_pruning.ts";
import { openApiStore } from "./open_api_store.ts";

const USAGE = `
Usage: deno task users-api [--port N]

Registers users over HTTP, and publishes UsuarioCreado for each; records what
they buy, and publishes CompraRealizada for each purchase; until Ctrl+C:

  curl -X POST localhost:8000/users -H 'Content-Type: application/json' \\
    -d '{"nombre":"Juan","email":"juan@example.com"}'
  curl -X POST localhost:8000/purchases -H 'Content-Type: application/json' \\
    -d '{"user_id":"…","total":1250,"currency":"MXN",
         "items":[{"sku":"cafe-1kg","quantity":2}]}'

Also GET /users/:id, /purchases/:id, /healthz and /readyz. Requests are done
also while the broker is away: their events wait in data/users, and leave when
the broker is back. With DATABASE_URL they wait in PostgreSQL instead, and any
number of these may run at once.

  --port N     where to listen (default: PORT, or 8000; 0 is any free port)

Configured by the environment: HOST (127.0.0.1), PORT, AMQP_URL, DATA_DIR,
DATABASE_URL (postgres://user:password@host:5432/database),
OUTBOX_MAX_EVENTS and OUTBOX_MAX_AGE_MS (from when on a backlog is worth a
warning), IDEMPOTENCY_KEEP_MS (how long a key is known: a day), LOG_FORMAT,
LOG_LEVEL, LOG_EMAILS, and HEALTH_PORT (serves /healthz, /readyz and /metrics
on the loopback).
`;

/**
 * How long a stop may go on with requests, and then with the outbox. With the two seconds that a link
 * may take to end, a container that is killed after ten (`docker stop`) has ended by itself before.
 */
const STOP_REQUESTS_MS = 4_000;
const STOP_OUTBOX_MS = 2_000;

/** Serves until `signal` aborts, then finishes what is under way. */
export async function usersApi({ args, signal }: CommandContext): Promise<number> {
  const { values } = parseArguments(args, { port: { type: "string" } });
  if (values.help) {
    print(USAGE.trim());
    return 0;
  }
  await configureLog(logConfig());
  const log = roleLogger("users-api");
  const { host, port: configured, keyLifetimeMs, ...bounds } = usersApiConfig();
  const port = wholeNumber("port", values.port, configured, { max: 65_535 });
  const urls = roleAmqpUrls("users-api");
  const portOfHealth = healthPort();
  const place = { directory: dataDir("users"), address: databaseAddress() };

  using _memory = reportMemory(log);
  await using store = await openApiStore(place, { keyLifetimeMs });
  const relay = new OutboxRelay({
    urls,
    outbox: store.outbox,
    watch: new BacklogWatch(bounds, log),
    log,
    drainTimeoutMs: STOP_OUTBOX_MS,
  });
  const parts = { store, relay, bounds, log };
  const app = createApp(parts);
  await using _health = portOfHealth === undefined
    ? undefined
    : await serveApiHealth(portOfHealth, parts);
  const stopRelay = new AbortController();
  const server = await serveHttp({
    host,
    port,
    handler: app.fetch,
    choosePort: (port) => `deno task users-api --port ${port}`,
    log,
    shutdownTimeoutMs: STOP_REQUESTS_MS,
  });
  log.info("Listening on {url}", { url: server.url, state: "listening" });
  const relaying = relay.run(stopRelay.signal);
  const pruning = pruneKeys({ keys: store.keys, log }, stopRelay.signal);
  try {
    // n.b. a relay that fails for good ends the API: a supervisor starts it again, and people see why.
    await Promise.race([aborted(signal), relaying, pruning]);
    log.info("Stopping: finishing what is under way");
  } finally {
    await server.shutdown();
    stopRelay.abort();
    await Promise.all([relaying, pruning]);
  }
  await tellWhatWaits(store, log);
  return 0;
}

/** Says so where events are left, or may be: somebody should start an API again. */
async function tellWhatWaits({ outbox }: ApiStore, log: Logger): Promise<void> {
  try {
    const { events } = await outbox.backlog(new Date());
    if (events === 0) return;
    log.warning("Events that wait in the outbox for the next start: {events}", { events });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    log.warning("Events may wait in the outbox: {reason}", { reason: error.message });
  }
}

async function serveApiHealth(port: number, parts: AppOptions): Promise<HealthServer> {
  const [{ serveHealth }, { apiHealth }] = await Promise.all([
    import("@ecomarket/shared/health/health_server"),
    import("./api_health.ts"),
  ]);
  return await serveHealth(port, apiHealth(parts));
}

if (import.meta.main) await runCommand(USAGE, usersApi);
