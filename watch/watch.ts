/** `deno task watch`: the live page, and whatever it needs to show something. */
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { ensureBroker } from "@ecomarket/setup/broker/broker";
import { SameBroker } from "@ecomarket/setup/broker/same_broker";
import { declareAtOnce } from "@ecomarket/setup/queues/declare_at_once";
import { aborted, rejectOnAbort } from "@ecomarket/shared/base/abort";
import { TopologyDriftError, UsageError } from "@ecomarket/shared/base/errors";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import {
  brokerRoles,
  MONITOR,
  REPLAY,
  WATCH,
  watchRole,
} from "@ecomarket/shared/contract/permissions";
import {
  DEAD_LETTER_QUEUE,
  fullTopology,
  SUBSCRIBER_QUEUES,
} from "@ecomarket/shared/contract/topology";
import { serveHttp } from "@ecomarket/shared/http/serve_http";
import { parseArguments } from "@ecomarket/shared/process/args";
import { dataDir, retryDelaysMs } from "@ecomarket/shared/process/config";
import { withCredentials } from "@ecomarket/shared/process/credentials_file";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { type CommandContext, print, printError, runCommand } from "@ecomarket/shared/process/main";
import { createRoleUsers } from "@ecomarket/testbed/broker/role_users";
import { CONSUMER_NAMES, type ConsumerName } from "@ecomarket/testbed/processes/roles";
import { Ledger } from "./ledger/ledger.ts";
import { createApp } from "./server/app.ts";
import { readAssets } from "./server/assets.ts";
import { newToken } from "./server/guard.ts";
import { LiveStream } from "./server/live_stream.ts";
import { BrokerLooker } from "./sources/broker_look.ts";
import { openTap } from "./sources/tap.ts";
import { Deeds } from "./stage/deeds.ts";
import { Fleet } from "./stage/fleet.ts";
import { openPage } from "./stage/open_page.ts";
import { Stage } from "./stage/stage.ts";
import { Watcher, WISHES } from "./watcher.ts";

const USAGE = `
Usage: deno task watch [--open] [--port N] [--empty]

Shows on a page of this machine what happens to each event, and whether what was
published is all somewhere: as the stores, the archive and the broker say. Finds
or starts a broker, declares the queues, and starts each subscriber that nobody
runs. Ctrl+C ends all that it has started.

  --open     open the page in the browser
  --port N   listen on this port of the loopback (default: any free one)
  --empty    publish nothing by itself (else three signups, to show a flow)

Buttons work only at the address that is printed: it holds a token. Without it
the page can be looked at, and nothing else.
`;

/** The signups that show a flow. */
const FIRST_SIGNUPS = 3;
/** The subscribers that a delay is given for: the failures that the buttons ask for are honoured. */
const ROLE_ENV = { SIMULATE_FAILURES: "1" };

const QUEUES: Readonly<Record<ConsumerName, string>> = {
  ...SUBSCRIBER_QUEUES,
  "dead-letter": DEAD_LETTER_QUEUE,
};

interface WatchRequest {
  readonly open: boolean;
  readonly port: number;
  readonly empty: boolean;
}

function parseRequest(args: readonly string[]): WatchRequest | undefined {
  const { values } = parseArguments(args, {
    open: { type: "boolean" },
    port: { type: "string" },
    empty: { type: "boolean" },
  });
  if (values.help) return undefined;
  const port = values.port ?? "0";
  if (!/^\d+$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--port must be a whole number from 0 to 65535, got "${port}"`);
  }
  return { open: values.open ?? false, port: Number(port), empty: values.empty ?? false };
}

/** Declares what is missing. What stands otherwise is on the page, and is nobody's to change here. */
async function declare(urls: readonly string[], delaysMs: readonly number[]): Promise<void> {
  try {
    await withConnection(urls, "watch", async (connection) => {
      const channel = await connection.createChannel();
      channel.on("error", () => {}); // The call that caused it rejects with it.
      await declareAtOnce(channel, fullTopology(delaysMs));
    });
  } catch (error) {
    if (!(error instanceof TopologyDriftError)) throw error;
    printError(error.message);
  }
}

/** The roles whose queue nobody consumes. */
async function idleRoles(urls: readonly string[]): Promise<ConsumerName[]> {
  const status = await withConnection(
    urls,
    "watch",
    (connection) => queueStatus(connection, Object.values(QUEUES)),
  );
  return CONSUMER_NAMES.filter((name) => status[QUEUES[name]]?.consumers === 0);
}

async function watch({ args, signal }: CommandContext): Promise<number> {
  const request = parseRequest(args);
  if (!request) {
    print(USAGE.trim());
    return 0;
  }
  await configureLog({ format: "pretty", level: "error", redactEmails: false });
  const delaysMs = retryDelaysMs();
  const dataRoot = dataDir("");
  const log = roleLogger(WATCH);
  await using cleanup = new AsyncDisposableStack();

  const broker = await ensureBroker({ say: print, signal });
  cleanup.defer(() => broker.stop());
  const { amqpUrls } = broker;
  const sameBroker = broker.kind === "private" ? await SameBroker.find() : undefined;
  let wasStopped = false;
  cleanup.defer(() => wasStopped && !broker.startedByUs ? sameBroker?.stop() : undefined);
  await declare(amqpUrls, delaysMs);
  const client = new ManagementClient(broker.managementUrl);
  const users = cleanup.use(
    await createRoleUsers(client, amqpUrls, [...brokerRoles(), watchRole()]),
  );
  // One that a button has stopped comes back for a moment: our users are in it.
  cleanup.defer(async () => {
    wasStopped = watcher.isBrokerStopped;
    if (wasStopped) await sameBroker?.start();
  });
  const monitorUrls = users.urlsOf(MONITOR);
  const ledger = cleanup.use(await Ledger.open(WISHES));
  const looker = cleanup.use(
    await BrokerLooker.open(monitorUrls, asUser(broker.managementUrl, monitorUrls[0]!), log),
  );

  const deeds = new Deeds();
  const fleet = new Fleet({
    urlsOf: users.urlsOf,
    dataDir: dataRoot,
    env: { ...ROLE_ENV, RETRY_DELAYS_MS: delaysMs.join() },
    onRecord: (name, record) => watcher.logged(name, record),
  });
  const watcher: Watcher = new Watcher({
    ledger,
    looker,
    fleet,
    deeds,
    delaysMs,
    log,
    dataDirOf: (name) => dataDir(name),
    broker: { kind: broker.kind, version: broker.version },
  });
  const tap = await openTap({
    urls: users.urlsOf(WATCH),
    log,
    onMessages: (messages) => watcher.passed(messages),
  });
  cleanup.defer(() => tap.close());
  const publisher = cleanup.use(
    await RobustPublisher.connect({ urls: users.urlsOf("publisher"), log }),
  );
  const stage = new Stage({
    fleet,
    publisher,
    observation: watcher.observation,
    deeds,
    broker: sameBroker,
    onBroker: (isStopped) => watcher.isBrokerStopped = isStopped,
    replayUrls: users.urlsOf(REPLAY),
    dataDir: dataRoot,
  });
  cleanup.use(fleet);

  const token = newToken();
  const stream = new LiveStream(() => watcher.view());
  const assets = await readAssets();
  const app = createApp({
    assets,
    stream,
    token,
    story: (id) => watcher.story(id),
    act: (action) => void stage.act(action),
    port: () => Number(new URL(server.url).port),
  });
  const server = await serveHttp({
    host: "127.0.0.1",
    port: request.port,
    handler: app.fetch,
    choosePort: (port) => `--port ${port}`,
    log,
  });
  cleanup.defer(() => server.shutdown());
  cleanup.use(stream);
  const over = new AbortController();
  const looking = watcher.run(over.signal);
  cleanup.defer(() => (over.abort(), looking));

  const address = `${server.url}/#token=${token}`;
  print(`The page: ${address}`);
  if (request.open) await openPage(address, cleanup);
  await begin(await idleRoles(amqpUrls), stage, request, signal);
  print("Ctrl+C ends it, and all that it has started.");
  await aborted(signal);
  print("Ending what was started …");
  return 0;
}

/** Starts who is missing, and lets a few events flow. */
async function begin(
  roles: readonly ConsumerName[],
  stage: Stage,
  { empty }: WatchRequest,
  signal: AbortSignal,
): Promise<void> {
  const starting = Promise.all(
    roles.map((consumer) => stage.act({ kind: "start", consumer })),
  );
  await Promise.race([starting, rejectOnAbort(signal)]).catch(() => {}); // Ctrl+C: what follows is the end.
  if (!empty && !signal.aborted) await stage.act({ kind: "publish", count: FIRST_SIGNUPS });
}

/** The management API as the user of an AMQP URL. */
function asUser(managementUrl: string, amqpUrl: string): string {
  const { username, password } = new URL(amqpUrl);
  return withCredentials(managementUrl, {
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  });
}

if (import.meta.main) await runCommand(USAGE, watch);
