/** `deno task chaos`: breaks everything on purpose, and accounts for every event. */
import { type Level, LEVELS } from "@ecomarket/publisher/levels/levels";
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { startTestBroker, startTestCluster } from "@ecomarket/testbed/broker/test_broker";
import { circumstances } from "../report/circumstances.ts";
import { requireWritable } from "../report/report_file.ts";
import { selectFaults } from "./faults/catalog.ts";
import { isOk, jsonReceipt, markdownReceipt, type Run, textReceipt } from "./receipt.ts";
import { runChaos } from "./run.ts";
import { type Replication, REPLICATIONS } from "./stores/postgres_servers.ts";
import {
  postgresStores,
  type RunStores,
  sqliteStores,
  STORE_KINDS,
  type StoreKind,
} from "./stores/run_stores.ts";
import { type ChaosBroker, World } from "./world.ts";

const USAGE = `
Usage: deno task chaos [options]

Runs the real publisher and the real consumers on a private broker, breaks what
can break, and compares the publisher's journal with the subscribers' stores.
Exit 1 when an event is lost or an effect is doubled, when a fault cannot be
proven or is not overcome, or when a role's memory grows.

  --events N        how many events, at least (default: 10000): where the faults
                    take longer than planned, further ones follow
  --seed S          decides the order and the times of the faults (default: 1)
  --faults a,b,…    these faults only (default: all of them; a wrong name lists
                    them)
  --nodes 1|3       a broker of one node, or a cluster of three (default: 1)
  --store KIND      sqlite or postgres (default: sqlite): where the state is
                    kept. With postgres, two of each consumer and two users APIs
                    run on a private server with a standby
  --standby HOW     remote_apply or asynchronous (default: remote_apply): how
                    that standby follows. An asynchronous one that is promoted
                    forgets what was committed last: how much is told
  --minutes M       how long the faults are spread over (default: 2); a role
                    that lives for 15 of them must not have grown, so that
                    --minutes 30 is a soak run
  --level LEVEL     simple, persistent or robust (default: robust). The lower
                    two lose events: how many is what they are run for
  --api-kills N     how often the fault kill-users-api kills the API (default:
                    10)
  --json            print one object at the end, and nothing else on the
                    standard output
  --report FILE     write the receipt as Markdown
`;

interface Request {
  readonly events: number;
  readonly seed: number;
  readonly nodes: 1 | 3;
  readonly store: StoreKind;
  readonly replication: Replication;
  readonly minutes: number;
  readonly level: Level;
  readonly apiKills: number;
  readonly faults: string | undefined;
  readonly json: boolean;
  readonly report: string | undefined;
}

function parse(args: readonly string[]): Request | undefined {
  const { values } = parseArguments(args, {
    events: { type: "string" },
    seed: { type: "string" },
    faults: { type: "string" },
    nodes: { type: "string" },
    store: { type: "string" },
    standby: { type: "string" },
    minutes: { type: "string" },
    level: { type: "string" },
    "api-kills": { type: "string" },
    json: { type: "boolean" },
    report: { type: "string" },
  });
  if (values.help) return undefined;
  const nodes = wholeNumber("nodes", values.nodes, 1);
  if (nodes !== 1 && nodes !== 3) throw new UsageError(`--nodes must be 1 or 3, got ${nodes}`);
  const level = oneOf("level", LEVELS, values.level, "robust");
  const store = oneOf("store", STORE_KINDS, values.store, "sqlite");
  if (values.standby !== undefined && store !== "postgres") {
    throw new UsageError("--standby needs --store postgres");
  }
  return {
    events: wholeNumber("events", values.events, 10_000, { min: 100, max: 10_000_000 }),
    seed: wholeNumber("seed", values.seed, 1, { max: 2 ** 31 - 1 }),
    minutes: wholeNumber("minutes", values.minutes, 2, { min: 1, max: 600 }),
    apiKills: wholeNumber("api-kills", values["api-kills"], 10, { min: 1, max: 10_000 }),
    faults: values.faults,
    report: values.report,
    json: values.json ?? false,
    nodes,
    store,
    replication: oneOf("standby", REPLICATIONS, values.standby, "remote_apply"),
    level,
  };
}

function oneOf<T extends string>(
  name: string,
  known: readonly T[],
  given: string | undefined,
  byDefault: T,
): T {
  const found = known.find((value) => value === (given ?? byDefault));
  if (found) return found;
  throw new UsageError(`--${name} must be one of ${known.join(", ")}, got "${given}"`);
}

async function chaos(request: Request, args: readonly string[], signal: AbortSignal): Promise<Run> {
  const { events, seed, nodes, store, replication, minutes, level, apiKills } = request;
  const faults = selectFaults(nodes, store, request.faults);
  const say = request.json ? printError : print;
  const startedAt = performance.now();
  say(`Starting a private broker of ${nodes} node(s) …`);
  await using broker = await startBroker(nodes);
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_chaos_" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  if (store === "postgres") say("Starting a private PostgreSQL and its standby …");
  const stores = cleanup.use(await openStores(store, replication, directory));
  const durationMs = minutes * 60_000;
  const world = cleanup.use(
    await World.create({
      broker,
      stores,
      directory,
      seed,
      events,
      level,
      apiKills,
      ratePerSecond: Math.max(1, Math.round(events / (durationMs / 1000))),
    }),
  );
  const where = await circumstances(world.management);
  say(`Seed ${seed}: ${events} events, level ${level}, ${faults.length} faults. Ctrl+C ends it.\n`);
  const mayLose = level !== "robust";
  const result = await runChaos(world, { seed, faults, durationMs, signal, say, mayLose });
  return {
    ...result,
    command: ["deno task chaos", ...args].join(" "),
    ...where,
    seed,
    events,
    level,
    nodes,
    ...(store === "postgres" ? { replication } : {}),
    elapsedMs: Math.round(performance.now() - startedAt),
  };
}

async function openStores(
  kind: StoreKind,
  replication: Replication,
  directory: string,
): Promise<RunStores> {
  return kind === "sqlite" ? await sqliteStores(directory) : await postgresStores(replication);
}

async function startBroker(nodes: 1 | 3): Promise<ChaosBroker> {
  if (nodes === 1) {
    const broker = await startTestBroker();
    return {
      nodes: [broker.node],
      managementUrl: broker.managementUrl,
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  }
  const { cluster, managementUrl, ...broker } = await startTestCluster();
  const dispose = () => broker[Symbol.asyncDispose]();
  return { nodes: cluster.nodes, cluster, managementUrl, [Symbol.asyncDispose]: dispose };
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const request = parse(args);
    if (!request) return print(USAGE.trim());
    await requireWritable(request.report);
    const run = await chaos(request, args, signal);
    if (request.report) await Deno.writeTextFile(request.report, markdownReceipt(run));
    print(request.json ? jsonReceipt(run) : `\n${textReceipt(run)}`);
    return isOk(run) ? 0 : 1;
  });
}
