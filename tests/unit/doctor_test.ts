/** What the doctor makes of facts, without a broker. */
import assert from "node:assert/strict";
import { fullTopology } from "@ecomarket/shared/contract/topology";
import { CHECKS, examine } from "../../tasks/doctor/checks/checks.ts";
import { checkBacklog } from "../../tasks/doctor/checks/queues.ts";
import type { Facts, ManagementFacts, NodeFacts } from "../../tasks/doctor/facts.ts";
import { exitCodeOf, type Finding } from "../../tasks/doctor/finding.ts";
import { look } from "../../tasks/doctor/look.ts";
import { reportLines, verdict } from "../../tasks/doctor/report.ts";
import { compareSet, configVariables, readSandbox } from "../../tasks/doctor/sources/sandbox.ts";
import { ROOT } from "../support/project_files.ts";

const DELAYS = [200];
const WANTED = fullTopology(DELAYS);
const NODE: NodeFacts = {
  name: "a@localhost",
  running: true,
  memoryAlarm: false,
  diskAlarm: false,
  memory: { used: 1, limit: 100 },
  diskFree: { bytes: 1_000, limit: 100 },
  fileDescriptors: { used: 1, limit: 100 },
};
const QUEUES = WANTED.queues.map(({ name }) => ({
  name,
  type: "quorum",
  members: [NODE.name],
  online: [NODE.name],
  policy: {},
  headTimestamp: undefined,
}));
const MANAGEMENT: ManagementFacts = {
  topology: {
    exchanges: WANTED.exchanges.map((it) => ({ ...it, durable: true, arguments: {} })),
    queues: WANTED.queues.map((it) => ({ ...it, durable: true, arguments: { ...it.arguments } })),
    bindings: WANTED.bindings.map(({ exchange, queue, routingKey }) => ({
      source: exchange,
      destination: queue,
      destination_type: "queue",
      routing_key: routingKey,
    })),
  },
  queues: QUEUES,
  consumers: [],
  nodes: [NODE],
  users: { ok: true, value: [] },
  disabledFlags: { ok: true, value: [] },
  deprecatedUsed: { ok: true, value: [] },
  clock: { ok: true, value: { aheadMs: 0, withinMs: 500 } },
};

interface Changes extends Partial<Omit<Facts, "management">> {
  readonly version?: string;
  readonly ready?: number;
  readonly consumers?: number;
  readonly management?: Partial<ManagementFacts>;
}

/** Facts of which nothing is wrong, but for `changes`. */
function facts({ version = "4.4.1", ready = 0, consumers = 0, management, ...rest }: Changes = {}) {
  const queues = Object.fromEntries(
    WANTED.queues.map(({ name }) => [name, { ready: 0, consumers: 0 }]),
  );
  const all: Facts = {
    now: new Date("2026-11-24T12:00:00Z"),
    amqpUrl: "amqp://ana:***@localhost",
    amqpHost: "localhost",
    vhost: "/",
    delaysMs: DELAYS,
    amqp: {
      ok: true,
      value: { version, queues: { ...queues, email_queue: { ready, consumers } } },
    },
    management: { ok: true, value: { ...MANAGEMENT, ...management } },
    stores: { ok: true, value: [] },
    outbox: { ok: true, value: undefined },
    outboxBounds: { maxEvents: 10, maxAgeMs: 1_000 },
    sandbox: { ok: true, value: [] },
    ...rest,
  };
  return all;
}

/** `severity id` of each finding. */
const found = (changes: Changes) =>
  examine(facts(changes)).map(({ id, severity }) => `${severity} ${id}`);
const node = (change: Partial<NodeFacts>) => ({ management: { nodes: [{ ...NODE, ...change }] } });

/** `email_queue` stands with `args` instead. */
function otherArguments(args: Readonly<Record<string, unknown>>): Changes {
  const queues = MANAGEMENT.topology.queues.map((queue) =>
    queue.name === "email_queue" ? { ...queue, arguments: { ...queue.arguments, ...args } } : queue
  );
  return { management: { topology: { ...MANAGEMENT.topology, queues } } };
}

/** A fault, and each finding that is to be made of it. */
const CASES: readonly (readonly [string, Changes, ...string[]])[] = [
  ["a series of before 3.10", { version: "3.9.29" }, "broken version-too-old"],
  ["a series that is not patched", { version: "4.3.6" }, "note version-unsupported"],
  ["a series of later", { version: "5.0.0" }, "note version-unknown"],
  ["a memory alarm", node({ memoryAlarm: true }), "broken alarm-memory"],
  ["a disk alarm", node({ diskAlarm: true }), "broken alarm-disk"],
  ["little memory", node({ memory: { used: 80, limit: 100 } }), "warning low-memory"],
  ["little disk", node({ diskFree: { bytes: 199, limit: 100 } }), "warning low-disk"],
  [
    "few file descriptors",
    node({ fileDescriptors: { used: 80, limit: 100 } }),
    "warning low-file-descriptors",
  ],
  ["a backlog", { ready: 10_001, consumers: 1 }, "warning queue-backlog"],
  ["a busy queue", { ready: 10_000, consumers: 1 }, "note queue-waiting"],
  [
    "a deprecated feature",
    { management: { deprecatedUsed: { ok: true, value: ["global_qos"] } } },
    "warning deprecated-feature",
  ],
  [
    "a clock that is behind",
    { management: { clock: { ok: true, value: { aheadMs: -5_500, withinMs: 500 } } } },
    "warning clock-skew",
  ],
  [
    "a member without a majority",
    { management: { queues: [{ ...QUEUES[0]!, online: [] }] } },
    "broken queue-no-majority",
  ],
  [
    "an outbox of old events",
    { outbox: { ok: true, value: { events: 1, oldestAgeMs: 1_001 } } },
    "warning outbox-old",
  ],
  [
    "a large store",
    {
      stores: {
        ok: true,
        value: [{
          name: "email",
          directory: "d",
          bytes: 1e9,
          openToOthers: [],
          writable: { ok: true, value: undefined },
        }],
      },
    },
    "warning store-large",
  ],
  [
    "the development user elsewhere",
    {
      amqpHost: "rabbit.example",
      management: {
        users: { ok: true, value: [{ name: "ecomarket_user", permission: undefined }] },
      },
    },
    "warning user-development",
  ],
  [
    "a sandbox that is too narrow",
    {
      sandbox: {
        ok: true,
        value: [{ set: "s", file: "f", missing: ["A"], unused: [], tooWide: [] }],
      },
    },
    "broken sandbox-narrow",
  ],
  [
    "a sandbox that is too wide",
    {
      sandbox: {
        ok: true,
        value: [{ set: "s", file: "f", missing: [], unused: [], tooWide: ["run"] }],
      },
    },
    "warning sandbox-wide",
  ],
  [
    "a source that failed",
    { stores: { ok: false, reason: "denied", error: undefined } },
    "warning stores-unknown",
  ],
  [
    "a broker that its sandbox withholds",
    { amqp: { ok: false, reason: "denied", error: new Deno.errors.NotCapable("denied") } },
    "broken broker-outside-sandbox",
  ],
  [
    "an exchange of dead letters without a queue",
    {
      management: {
        topology: {
          ...MANAGEMENT.topology,
          bindings: MANAGEMENT.topology.bindings.filter(({ source }) => source !== "dead_letters"),
        },
      },
    },
    "broken topology-missing",
    "broken dead-letters-unbound",
  ],
  [
    "an argument that differs",
    otherArguments({ "x-delivery-limit": 7 }),
    "broken topology-differs",
  ],
  [
    "an overflow that drops",
    otherArguments({ "x-overflow": "drop-head" }),
    "broken topology-differs",
    "broken at-least-once-not-in-force",
  ],
  [
    "a strategy of at most once",
    otherArguments({ "x-dead-letter-strategy": "at-most-once" }),
    "broken topology-differs",
    "broken at-least-once-not-in-force",
  ],
  [
    "a policy that empties a queue",
    { management: { queues: [{ ...QUEUES[0]!, policy: { expires: 1_000 } }] } },
    "warning policy-overrides",
  ],
  [
    "a policy that does no harm",
    { management: { queues: [{ ...QUEUES[0]!, policy: { "queue-leader-locator": "balanced" } }] } },
  ],
  [
    "a retry queue of another delay",
    {
      management: {
        topology: {
          ...MANAGEMENT.topology,
          queues: [
            ...MANAGEMENT.topology.queues,
            { name: "email_queue.retry.9", durable: true, arguments: {} },
          ],
        },
      },
    },
    "warning retry-queue-unconfigured",
  ],
  [
    "a queue that two subscribers consume",
    {
      management: {
        consumers: ["ecomarket a", "ecomarket b"]
          .map((name) => ({ queue: "email_queue", name, address: name })),
      },
    },
    "broken queue-shared",
  ],
  [
    "an outbox that cannot be read",
    { outbox: { ok: false, reason: "denied", error: undefined } },
    "warning outbox-unknown",
  ],
  [
    "a clock that was not told",
    { management: { clock: { ok: false, reason: "404", error: undefined } } },
    "note management-partial",
  ],
  [
    "users that may not be asked",
    { management: { users: { ok: false, reason: "401", error: undefined } } },
    "note users-unknown",
  ],
];

Deno.test("examine() finds nothing where nothing is wrong", () => {
  assert.deepEqual(found({}), []);
});

for (const [what, changes, ...expected] of CASES) {
  Deno.test(`examine() makes of ${what} what it is, and nothing else`, () => {
    assert.deepEqual(found(changes), expected);
  });
}

Deno.test("examine() accepts what is just within its bounds", () => {
  assert.deepEqual(found(node({ memory: { used: 79, limit: 100 } })), []);
  assert.deepEqual(found(node({ diskFree: { bytes: 200, limit: 100 } })), []);
  assert.deepEqual(
    found({ management: { clock: { ok: true, value: { aheadMs: 5_499, withinMs: 500 } } } }),
    [],
  );
  assert.deepEqual(found({ outbox: { ok: true, value: { events: 10, oldestAgeMs: 1_000 } } }), []);
});

Deno.test("examine() finds at-least-once not in force where its feature flag is disabled", () => {
  const findings = examine(
    facts({ management: { disabledFlags: { ok: true, value: ["stream_queue"] } } }),
  );
  const wanted = WANTED.queues.filter((it) => it.arguments["x-dead-letter-strategy"] !== undefined);
  assert.equal(findings.length, wanted.length);
  for (const { id, mend } of findings) {
    assert.equal(id, "at-least-once-not-in-force");
    assert.equal(mend, "rabbitmqctl enable_feature_flag stream_queue");
  }
});

Deno.test("examine() tells a difference whole, whatever stands in it, and the mend apart", () => {
  const [{ finding, mend } = { finding: "", mend: "" }] = examine(
    facts(otherArguments({ "x-overflow": "reject. Run: publish" })),
  );
  assert.equal(
    finding,
    'The queue "email_queue" stands otherwise: its x-overflow is "reject. Run: publish", ' +
      '"reject-publish" was wanted',
  );
  assert.match(mend, /^Stop its consumers, .*: deno task setup-queues --migrate$/);
});

Deno.test("checkBacklog() tells the age of the first message where the broker tells it", () => {
  const headTimestamp = Date.parse("2026-11-24T11:49:59Z") / 1_000;
  const queues = QUEUES.map((queue) => ({ ...queue, headTimestamp }));
  const [finding] = checkBacklog(facts({ ready: 1, consumers: 1, management: { queues } }));
  assert.equal(finding?.id, "queue-backlog");
  assert.match(finding.finding, /1 message\(s\) wait in email_queue; the first for 601 s/);
});

const finding = (severity: Finding["severity"]): Finding => ({
  id: "una-cosa",
  severity,
  finding: "La cola ".repeat(30),
  why: "porque ".repeat(30),
  mend: "deno task setup-queues",
});

Deno.test("exitCodeOf() is 2 where something is broken, 1 for warnings, 0 for notes", () => {
  assert.equal(exitCodeOf([finding("warning"), finding("broken")]), 2);
  assert.equal(exitCodeOf([finding("note"), finding("warning")]), 1);
  assert.equal(exitCodeOf([finding("note")]), 0);
});

Deno.test("reportLines() put findings of one kind together, and say how many are not listed", () => {
  const findings = Array.from({ length: 7 }, (_, n) => ({
    ...finding("broken"),
    finding: `the queue q${n} is missing`,
    mend: "deno task setup-queues",
  }));
  const text = reportLines(findings, 3).join("\n");
  assert.match(text, /^BROKEN \S+ \(7\)\n {2}the queue q0 is missing\.\n/);
  assert.match(text, /q4 is missing\.\n {2}… and 2 more: --json lists them all\.\n {2}why: /);
  assert.equal(text.split("mend: ").length, 2, "one mend for all");
  assert.match(text, /\n7 broken, 0 warnings in 3 checks\.$/);
});

Deno.test("reportLines() fit 80 columns and end with the verdict", () => {
  const lines = reportLines([finding("broken"), finding("note")], CHECKS.length);
  assert.ok(lines.every((line) => line.length < 80));
  assert.equal(lines.at(-1), `1 broken, 0 warnings in ${CHECKS.length} checks (1 note).`);
  assert.equal(verdict([], 3), "Nothing found wrong in 3 checks.");
});

const SETS = "tasks/deno.json";
const readProject = (path: string) => Deno.readTextFile(`${ROOT}/${path}`);

Deno.test("readSandbox() finds that each set gives what its program asks for, and no more", async () => {
  const sandbox = await readSandbox(readProject);
  assert.ok(sandbox.length >= 9, "the tasks were found");
  for (const { missing, unused, tooWide, set } of sandbox) {
    assert.deepEqual({ set, missing, unused, tooWide }, {
      set,
      missing: [],
      unused: [],
      tooWide: [],
    });
  }
});

Deno.test("readSandbox() finds a variable that a set withholds, and one that nobody reads", async () => {
  const changed = async (path: string) => {
    const text = await readProject(path);
    return path === SETS ? text.replace(/("status": \{[^}]*)"DATA_DIR"/, '$1"HOME"') : text;
  };
  const status = (await readSandbox(changed)).find(({ set }) => set === "status")!;
  assert.deepEqual(status.missing, ["DATA_DIR"]);
  assert.deepEqual(status.unused, ["HOME"]);
});

Deno.test("compareSet() names what is wider than any role needs", () => {
  const set = { net: ["127.0.0.1", "example.com"], write: true, run: ["sh"], env: ["A"] };
  assert.deepEqual(compareSet(set, new Set(["A"])), {
    missing: [],
    unused: [],
    tooWide: ["write", "run", "net: example.com"],
  });
});

Deno.test("configVariables() follows the functions that a function calls", () => {
  const source = 'export function one() {\n  return read("A_B") + two();\n}\n' +
    'function two() {\n  return parseVariable("C_D", x);\n}\n';
  assert.deepEqual([...configVariables(source).get("one")!], ["A_B", "C_D"]);
});

Deno.test("look() gives up a source that never answers, and one that throws", async () => {
  const never = await look(() => new Promise<never>(() => {}), 1);
  assert.ok(!never.ok && /Waited 0\.001 s for an answer/.test(never.reason));
  const broken = await look(() => {
    throw new Error("roto");
  });
  assert.ok(!broken.ok && broken.reason === "roto");
});
