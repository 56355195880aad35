/** `deno task doctor`, in its sandbox: each fault is planted alone, found, and its mend named. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ManagementClient, vhostOf } from "@ecomarket/shared/broker/management";
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  fullTopology,
  PARKING_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { openSqliteApiStore } from "../../publisher/api/sqlite_api_store.ts";
import { SQLITE_API_MIGRATIONS } from "../../publisher/api/sqlite_tables.ts";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";
import type { Finding } from "../../tasks/doctor/finding.ts";
import { Bench, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { setupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();
type Env = Readonly<Record<string, string>>;

/** n.b. a folder that is not `data/` is a flag, which takes the place of the set's list (Deno 2.9). */
function doctor(bench: Bench, env: Env = {}, ...args: string[]): Promise<Finished> {
  const { directory } = bench;
  const flags = [`--allow-read=${PROJECT_ROOT},${directory}`, `--allow-write=${directory}`];
  return runDeno(["run", "-q", "-P=doctor", ...flags, "tasks/doctor/doctor.ts", ...args], {
    AMQP_URL: bench.amqpUrl,
    MANAGEMENT_URL: broker.managementUrl,
    DATA_DIR: directory,
    RETRY_DELAYS_MS: TEST_DELAYS_MS.join(","),
    ...env,
  });
}

/** What is broken or worth a warning, and the exit code. */
async function faults(bench: Bench, env: Env = {}) {
  const { code, stdout, stderr } = await doctor(bench, env, "--json");
  assert.equal(stderr, "");
  const findings = JSON.parse(stdout).findings as Finding[];
  return { code, found: findings.filter(({ severity }) => severity !== "note") };
}

interface Planted {
  readonly env?: Env;
  /** Takes the fault away again. */
  readonly mend?: () => Promise<unknown>;
}

/** Plants one fault, and expects the doctor to find `id` and to name `mend`. */
function fault(
  id: string,
  severity: Finding["severity"],
  mend: RegExp,
  plant: (bench: Bench, cleanup: AsyncDisposableStack) => Promise<Planted | void> | Planted | void,
): void {
  Deno.test(`doctor finds ${id}, and names its mend`, async () => {
    await using bench = await Bench.open(broker);
    await using cleanup = new AsyncDisposableStack();
    const planted = await plant(bench, cleanup) ?? {};
    await eventually(async () => {
      const { code, found } = await faults(bench, planted.env);
      const finding = found.find((finding) => finding.id === id);
      assert.ok(finding, JSON.stringify(found));
      assert.equal(finding.severity, severity);
      assert.match(finding.mend, mend);
      assert.equal(code, found.some((one) => one.severity === "broken") ? 2 : 1);
    });
    if (!planted.mend) return;
    await planted.mend();
    await eventually(async () => assert.deepEqual(await faults(bench), { code: 0, found: [] }));
  });
}

const client = () => new ManagementClient(broker.managementUrl);
const path = (bench: Bench) => encodeURIComponent(vhostOf(bench.amqpUrl));

Deno.test("doctor finds nothing wrong on a fresh set-up, and ends with 0", async () => {
  await using bench = await Bench.open(broker);
  assert.deepEqual(await faults(bench), { code: 0, found: [] });
  const { code, stdout, stderr } = await doctor(bench);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\nNothing found wrong in \d+ checks( \(\d+ notes?\))?\.\n$/);
  assert.ok(stdout.split("\n").every((line) => line.length <= 80));
  assert.deepEqual([...Deno.readDirSync(bench.directory)], [], "it leaves no trace");
});

Deno.test("doctor takes no message, and counts no delivery of one", async () => {
  await using bench = await Bench.open(broker);
  bench.publishRaw("quieto");
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 1));
  for (let n = 0; n < 2; n++) await doctor(bench);
  const message = await bench.only("email_queue");
  assert.equal(message.content.toString(), "quieto");
  assert.equal(message.fields.redelivered, false);
  assert.equal(message.properties.headers?.["x-delivery-count"] ?? 0, 0);
});

Deno.test("doctor shows no password, and refuses what it does not know with 2", async () => {
  await using bench = await Bench.open(broker);
  const env = {
    AMQP_URL: "amqp://ana:secreto@127.0.0.1:1",
    MANAGEMENT_URL: "http://ana:secreto@127.0.0.1:1",
  };
  const { code, stdout, stderr } = await doctor(bench, env);
  assert.equal(code, 2);
  assert.doesNotMatch(stdout + stderr, /secreto/);
  assert.equal((await doctor(bench, {}, "--mend")).code, 2);
});

fault("broker-unreachable", "broken", /deno task broker start/, () => ({
  env: { AMQP_URL: "amqp://ana:secreto@127.0.0.1:1" },
}));

fault("broker-refuses", "broken", /AMQP_URL/, (bench) => {
  const url = new URL(bench.amqpUrl);
  url.password = "equivocada";
  return { env: { AMQP_URL: url.href } };
});

fault(
  "management-unreachable",
  "warning",
  /rabbitmq-plugins enable rabbitmq_management/,
  () => ({
    env: { MANAGEMENT_URL: "http://ana:secreto@127.0.0.1:1" },
  }),
);

fault("topology-missing", "broken", /deno task setup-queues/, async (bench) => {
  await bench.channel.deleteQueue("loyalty_queue");
  return { mend: () => setupQueues(broker, bench.amqpUrl) };
});

/** Declares `email_queue` with one argument otherwise. */
async function redeclare(bench: Bench, args: Readonly<Record<string, unknown>>): Promise<Planted> {
  const { arguments: wanted } = fullTopology([]).queues.find(({ name }) => name === "email_queue")!;
  await bench.channel.deleteQueue("email_queue");
  await bench.channel.assertQueue("email_queue", { arguments: { ...wanted, ...args } });
  await bench.channel.bindQueue("email_queue", "user_events", "");
  await bench.channel.bindQueue("email_queue", "email_queue.retry", "email_queue");
  return { mend: () => setupQueues(broker, bench.amqpUrl, ["--migrate"]) };
}

fault(
  "topology-differs",
  "broken",
  /setup-queues --migrate/,
  (bench) => redeclare(bench, { "x-delivery-limit": 20 }),
);

fault(
  "at-least-once-not-in-force",
  "broken",
  /setup-queues --migrate/,
  (bench) => redeclare(bench, { "x-overflow": "drop-head" }),
);

fault("dead-letters-unbound", "broken", /deno task setup-queues/, async (bench) => {
  await bench.channel.unbindQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, "");
  return { mend: () => setupQueues(broker, bench.amqpUrl) };
});

fault("policy-overrides", "warning", /clear_policy/, async (bench) => {
  const policy = `policies/${path(bench)}/corta`;
  const definition = { "max-length": 5 };
  await client().put(policy, { pattern: "^email_queue$", definition, "apply-to": "queues" });
});

fault(
  "retry-queue-unconfigured",
  "warning",
  /delete_queue -p \S+ email_queue\.retry\.77/,
  async (bench) => {
    await bench.channel.assertQueue("email_queue.retry.77", {
      arguments: { "x-queue-type": "quorum" },
    });
    return { mend: () => bench.channel.deleteQueue("email_queue.retry.77") };
  },
);

fault("retry-queue-consumed", "broken", /end that consumer/, async (bench) => {
  await bench.channel.consume("email_queue.retry.50", () => {}, { consumerTag: "ladrón" });
  return { mend: () => bench.channel.cancel("ladrón") };
});

fault("queue-unconsumed", "warning", /deno task consumer:email/, async (bench) => {
  bench.publishRaw("esperando");
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 1));
});

fault("dead-letters-parked", "warning", /purge_queue/, async (bench) => {
  bench.publishRaw("aparcado", {}, PARKING_EXCHANGE);
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue.parked"), 1));
});

fault("user-guest", "warning", /rabbitmqctl delete_user guest/, async (_bench, cleanup) => {
  await client().put("users/guest", { password: "guest", tags: "" });
  cleanup.defer(() => client().delete("users/guest"));
});

fault(
  "user-too-wide",
  "warning",
  /rabbitmqctl set_permissions -p \S+ ana /,
  async (bench, cleanup) => {
    await client().put("users/ana", { password: "ana", tags: "" });
    cleanup.defer(() => client().delete("users/ana"));
    const everything = { configure: ".*", write: ".*", read: ".*" };
    const permission = `permissions/${path(bench)}/ana`;
    await client().put(permission, everything);
    return { mend: () => client().put(permission, { ...everything, write: "^user_events$" }) };
  },
);

/** A store that one of its role's processes has left. */
function leaveStore(bench: Bench, name: string): string {
  const directory = join(bench.directory, name);
  SqliteDatabase.open(directory, SQLITE_API_MIGRATIONS).close();
  return directory;
}

Deno.test({
  name: "doctor finds store-open, and names its mend",
  ignore: Deno.build.os === "windows", // Files have no modes there.
  fn: async () => {
    await using bench = await Bench.open(broker);
    const file = join(leaveStore(bench, "email"), "store.sqlite");
    Deno.chmodSync(file, 0o644);
    const { code, found } = await faults(bench);
    assert.equal(code, 1);
    assert.deepEqual(found.map(({ id, mend }) => ({ id, mend })), [
      { id: "store-open", mend: `chmod go= ${file}` },
    ]);
  },
});

fault("store-unwritable", "broken", /ls -l/, async (bench) => {
  const directory = leaveStore(bench, "loyalty");
  await Deno.writeTextFile(
    join(directory, "store.sqlite"),
    "esto no es una base de datos".repeat(50),
  );
});

fault("store-locked", "warning", /fuser/, (bench, cleanup) => {
  cleanup.use(lockStore(leaveStore(bench, "analytics")));
});

fault("outbox-old", "warning", /deno task users-api/, async (bench) => {
  const store = openSqliteApiStore(join(bench.directory, "users"));
  const user = { nombre: "Ana", email: "ana@example.com" };
  await store.users.register(user, undefined, new Date(Date.now() - 3_600_000));
  await store[Symbol.asyncDispose]();
});

/** The management API with other answers: for what one broker on one machine cannot be. */
function otherAnswers(
  cleanup: AsyncDisposableStack,
  change: (path: string, body: unknown) => unknown,
  headers: HeadersInit = {},
): Planted {
  const { origin, username, password } = new URL(broker.managementUrl);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const authorization = request.headers.get("authorization") ?? "";
      const answer = await fetch(`${origin}${pathname}`, { headers: { authorization } });
      const body = await answer.json();
      return Response.json(change(pathname, body), { status: answer.status, headers });
    },
  );
  cleanup.defer(() => server.shutdown());
  return {
    env: { MANAGEMENT_URL: `http://${username}:${password}@127.0.0.1:${server.addr.port}` },
  };
}

fault("clock-skew", "warning", /set-ntp/, (_bench, cleanup) => {
  const date = new Date(Date.now() - 120_000).toUTCString();
  return otherAnswers(cleanup, (_path, body) => body, { date });
});

/** The broker's node, and two more of which nothing is known. */
function threeNodes(path: string, body: unknown, change: object = {}): unknown {
  if (path !== "/api/nodes") return body;
  const [node] = body as { name: string }[];
  return [node, { ...node, name: "b@localhost", ...change }, { ...node, name: "c@localhost" }];
}

fault(
  "queue-few-members",
  "warning",
  /rabbitmq-queues grow/,
  (_bench, cleanup) => otherAnswers(cleanup, (path, body) => threeNodes(path, body)),
);

fault(
  "node-down",
  "warning",
  /deno task broker start/,
  (_bench, cleanup) =>
    otherAnswers(cleanup, (path, body) => threeNodes(path, body, { running: false })),
);

fault(
  "low-file-descriptors",
  "warning",
  /ulimit -n/,
  (_bench, cleanup) =>
    otherAnswers(cleanup, (path, body) => threeNodes(path, body, { fd_used: 95, fd_total: 100 })),
);

// n.b. what the API tells of a node is some seconds old: the last test, so that no other one meets it.
fault("alarm-memory", "broken", /set_vm_memory_high_watermark 0\.4/, async (_bench, cleanup) => {
  await broker.node.ctl("set_vm_memory_high_watermark", "0.00001");
  cleanup.defer(async () => void await broker.node.ctl("set_vm_memory_high_watermark", "0.4"));
});
