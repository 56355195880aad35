/** `deno task demo`: the whole flow on one screen, then the proof from the stores. */
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { type Broker, ensureBroker } from "@ecomarket/setup/broker/broker";
import { aborted, rejectOnAbort } from "@ecomarket/shared/base/abort";
import { poll } from "@ecomarket/shared/base/poll";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import { declareTopology, fullTopology } from "@ecomarket/shared/contract/topology";
import { parseArguments } from "@ecomarket/shared/process/args";
import { DEV_PASSWORD, DEV_USER, FAST_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { openInBrowser } from "@ecomarket/shared/process/platform";
import { renderTable } from "@ecomarket/shared/process/table";
import { createVhost } from "@ecomarket/testbed/broker/private_vhost";
import { createRoleUsers } from "@ecomarket/testbed/broker/role_users";
import { CONSUMER_NAMES, CONSUMERS, startRole } from "@ecomarket/testbed/processes/roles";
import { DemoFlow } from "./flow.ts";
import { type Expectation, judgeStores, type Verdict } from "./verdict.ts";

const USAGE = `
Usage: deno task demo [--json] [--open-management-ui]

Publishes a few signups to email, loyalty and analytics; one fails twice and
recovers, one fails for ever. Then checks in the subscribers' stores that each
event had each effect exactly once. Uses a virtual host and a data folder of its
own: your queues and data stay as they are.

  --json                 print one object at the end, and nothing else on the
                         standard output
  --open-management-ui   open the broker's management UI in the browser, and
                         wait for Ctrl+C at the end
`;

/** The batch. `fail` is what the message asks for, in the words of `--fail`. */
const SIGNUPS: readonly { nombre: string; email: string; fail?: string }[] = [
  { nombre: "Juan Pérez", email: "juan@example.com" },
  { nombre: "María José Ñáñez", email: "mariajose@example.com" },
  { nombre: "Lucía Gómez", email: "lucia@example.com", fail: "email:2" },
  { nombre: "Íñigo Araújo 🌱", email: "inigo@example.com" },
  { nombre: "Mateo Díaz", email: "mateo@example.com", fail: "loyalty:always" },
  { nombre: "Sofía Hernández", email: "sofia@example.com" },
];

/** How long the flow may take before what is missing is called missing. */
const SETTLE_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

interface DemoOptions {
  readonly signal: AbortSignal;
  /** Shows a line to the person who watches. */
  readonly say: (line: string) => void;
  readonly openManagementUi: boolean;
}

interface DemoRun {
  readonly verdict: Verdict;
  readonly published: number;
  readonly confirmed: number;
  /** Retries by consumer. */
  readonly retries: ReadonlyMap<string, number>;
  /** From the declaration of the queues to the verdict. */
  readonly elapsedMs: number;
  readonly broker: Broker;
}

async function demo({ signal, say, openManagementUi }: DemoOptions): Promise<DemoRun> {
  const broker = await ensureBroker({ say, signal });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => broker.stop());

  const startedAt = performance.now();
  const client = new ManagementClient(broker.managementUrl);
  const { amqpUrls } = cleanup.use(await createVhost(client, broker.amqpUrls, "demo"));
  const dataDir = await Deno.makeTempDir({ prefix: "ecomarket_demo_" });
  cleanup.defer(() => Deno.remove(dataDir, { recursive: true }));
  await declare(amqpUrls);
  const users = cleanup.use(await createRoleUsers(client, amqpUrls));
  if (openManagementUi) await openUi(new URL(broker.managementUrl).origin, say);

  say("Starting email, loyalty, analytics and dead-letter, each in its own sandbox …");
  const flow = new DemoFlow(say);
  const consumers = CONSUMER_NAMES.map((name) =>
    cleanup.use(startRole(CONSUMERS[name], {
      amqpUrls: users.urlsOf(name),
      dataDir,
      env: { FAST_RETRY: "1", SIMULATE_FAILURES: "1" },
      onRecord: (record) => flow.record(name, record),
    }))
  );
  await Promise.race([
    Promise.all(consumers.map((consumer) => consumer.ready)),
    rejectOnAbort(signal),
  ]);

  say("");
  const batch = SIGNUPS.map(({ fail, ...user }) => ({ event: createUsuarioCreado(user), fail }));
  const confirmed = await publish(users.urlsOf("publisher"), batch, flow);
  const verdict = await settle(amqpUrls, dataDir, batch.map(expectation), signal);
  const elapsedMs = Math.round(performance.now() - startedAt);

  if (openManagementUi) {
    say("\nThe management UI is open. Ctrl+C ends the demo and removes its virtual host.");
    await aborted(signal);
  }
  return { verdict, published: batch.length, confirmed, retries: flow.retries, elapsedMs, broker };
}

async function openUi(url: string, say: DemoOptions["say"]): Promise<void> {
  if (!await openInBrowser(url)) say(`No browser could be opened here. Open it yourself: ${url}`);
}

interface Publication {
  readonly event: UsuarioCreado;
  readonly fail: string | undefined;
}

function expectation({ event, fail }: Publication): Expectation {
  return { event, doomedAt: /^(\w+):always$/.exec(fail ?? "")?.[1] };
}

async function declare(urls: readonly string[]): Promise<void> {
  await withConnection(urls, "demo", async (connection) => {
    await declareTopology(await connection.createChannel(), fullTopology(FAST_RETRY_DELAYS_MS));
  });
}

/** @returns how many were confirmed. */
async function publish(
  urls: readonly string[],
  batch: readonly Publication[],
  flow: DemoFlow,
): Promise<number> {
  await using publisher = await RobustPublisher.connect({ urls, log: roleLogger("publisher") });
  const outcomes = await Promise.all(batch.map(({ event, fail }) => {
    flow.publishing(event, fail);
    return publisher.publish(event, fail ? { headers: { [X_SIMULATE_FAILURES]: fail } } : {});
  }));
  const confirmed = outcomes.filter(({ status }) => status === "confirmed").length;
  flow.published(confirmed, batch.length);
  return confirmed;
}

/** Waits until nothing is missing and every queue is empty, or the time is over; then judges. */
async function settle(
  urls: readonly string[],
  dataDir: string,
  expected: readonly Expectation[],
  signal: AbortSignal,
): Promise<Verdict> {
  const queues = fullTopology(FAST_RETRY_DELAYS_MS).queues.map((queue) => queue.name);
  return await withConnection(urls, "demo", async (connection) => {
    const settled = async () => {
      const depths = Object.values(await queueStatus(connection, queues));
      const isQuiet = depths.every((queue) => queue?.ready === 0);
      const verdict = judgeStores(dataDir, expected);
      return isQuiet && verdict.problems.length === 0 && verdict;
    };
    const options = { timeoutMs: SETTLE_TIMEOUT_MS, intervalMs: POLL_MS, signal };
    return await poll(settled, options) ?? judgeStores(dataDir, expected);
  });
}

/** What `--json` prints. */
function report({ verdict, published, confirmed, retries, elapsedMs, broker }: DemoRun) {
  const subscribers = [...verdict.tallies].map(([name, { effects, deadLetters }]) =>
    [name, {
      handled: effects.size,
      retried: retries.get(name) ?? 0,
      deadLettered: deadLetters.size,
    }] as const
  );
  return {
    ok: verdict.problems.length === 0 && confirmed === published,
    published,
    confirmed,
    subscribers: Object.fromEntries(subscribers),
    deadLetters: verdict.deadLetters,
    elapsedMs,
    broker: { kind: broker.kind, version: broker.version },
  };
}

function show(result: ReturnType<typeof report>, { verdict, broker }: DemoRun): void {
  print("");
  print(renderTable(
    ["subscriber", "handled", "retried", "dead-lettered"],
    Object.entries(result.subscribers).map((
      [name, { handled, retried, deadLettered }],
    ) => [name, handled, retried, deadLettered]),
  ));
  for (const problem of verdict.problems) printError(`✗ ${problem}`);
  if (result.confirmed < result.published) {
    printError(`✗ ${result.published - result.confirmed} event(s) were not confirmed`);
  }
  if (!result.ok) return;
  print(
    `✓ ${result.published} events, ${result.elapsedMs} ms. Each had each effect exactly once, and`,
  );
  print("  exactly the one that fails for ever is a dead letter: read from the stores.");
  print("");
  print("What to try next, each in a terminal of its own (without Deno installed:");
  print("npx -y deno@2 task …):");
  if (broker.startedByUs) print("  deno task broker start         a broker that stays");
  print("  deno task setup-queues         the queues, for you to use");
  print("  deno task consumer:email       also :loyalty, :analytics and :dead-letter");
  print('  deno task publish --nombre "Juan Perez" --email juan@example.com');
  print("  deno task status               what waits, and what was done");
  const user = new URL(broker.managementUrl).username;
  const credentials = user === DEV_USER ? ` (${DEV_USER} / ${DEV_PASSWORD})` : "";
  const when = broker.startedByUs ? ", while a broker runs" : "";
  print(`Management UI${when}: ${new URL(broker.managementUrl).origin}${credentials}`);
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const { values } = parseArguments(args, {
      json: { type: "boolean" },
      "open-management-ui": { type: "boolean" },
    });
    if (values.help) return print(USAGE.trim());
    await configureLog({ format: "pretty", level: "error", redactEmails: false });
    const run = await demo({
      signal,
      say: values.json ? printError : print,
      openManagementUi: values["open-management-ui"] ?? false,
    });
    const result = report(run);
    if (values.json) {
      run.verdict.problems.forEach((problem) => printError(`✗ ${problem}`));
      print(JSON.stringify(result));
    } else show(result, run);
    return result.ok ? 0 : 1;
  });
}
