/**
 * What each role may do, and that everything else is denied: the permission sets of `deno.json`, in a
 * folder that looks like the project, so that a hole in one would touch nobody's data.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { temporaryFolder } from "../support/temporary_folder.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILE_ACCESS = fileURLToPath(
  new URL("../../publisher/publish/file_access.ts", import.meta.url),
);
const PROBE = fileURLToPath(new URL("../support/sandbox_probe.ts", import.meta.url));

const configSchema = z.object({
  workspace: z.array(z.string()).default([]),
  tasks: z.record(z.string(), z.object({ command: z.string().optional() })).default({}),
  permissions: z.record(z.string(), z.unknown()).default({}),
});

async function readConfig(folder: string) {
  const text = await Deno.readTextFile(join(ROOT, folder, "deno.json"));
  return configSchema.parse(JSON.parse(text));
}

const config = await readConfig(".");
/** The folders whose `deno.json` holds permission sets. A set's paths are told from its folder. */
const FOLDERS = [".", ...config.workspace];
const SETS = new Map(
  (await Promise.all(
    FOLDERS.map(async (folder) =>
      Object.entries((await readConfig(folder)).permissions)
        .map(([name, set]) => [name, { folder, set }] as const)
    ),
  )).flat(),
);

/** What every role may do: reach a broker on this machine, found by itself or by its environment. */
const EVERY_ROLE = [
  "connect to localhost",
  "connect to the loopback",
  "read $AMQP_CA_FILE",
  "read $AMQP_URL",
  "read the CA's certificate",
  "read the broker's address",
];
/** What is told its broker has no need of the file that tells it, and reads a CA where a flag names it. */
const TOLD = new Set(["read the broker's address", "read the CA's certificate"]);
const CONSUMER = [
  ...EVERY_ROLE,
  "read $DATABASE_URL",
  "read $DATA_DIR",
  "read $HEALTH_PORT",
  "read $LOG_EMAILS",
  "read $RETRY_DELAYS_MS",
  "read $SIMULATE_FAILURES",
];

/** How long a command may take that waits for what never comes. */
const PATIENCE_MS = 30_000;

/** What is left to the publisher once it has opened the file that it is to publish. */
const PUBLISHER_AT_WORK = [...EVERY_ROLE, "read $LOG_EMAILS"];

/** All that each permission set lets pass, of all that the probe tries. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // n.b. of all credentials, each role reads its own.
  email: [
    ...CONSUMER,
    "read $SMTP_URL",
    "read data/email",
    "read the credentials of email",
    "write data/email",
  ],
  loyalty: [
    ...CONSUMER,
    "read data/loyalty",
    "read the credentials of loyalty",
    "write data/loyalty",
  ],
  analytics: [...CONSUMER, "read data/analytics", "write data/analytics"],
  "dead-letter": [...CONSUMER, "read data/dead_letters", "write data/dead_letters"],
  // n.b. data/audit is its own: no other role's.
  "audit-consumer": CONSUMER,
  "crashing-consumer": [...CONSUMER, "read data/email", "write data/email"],
  // n.b. its data folder is a flag of the run.
  "naive-consumer": EVERY_ROLE.filter((name) => !TOLD.has(name) && name !== "read $AMQP_CA_FILE"),
  cashbook: CONSUMER.filter((name) => !TOLD.has(name)),
  // n.b. its journal's folder is a flag of the run.
  "chaos-publisher": [
    ...EVERY_ROLE.filter((name) => !TOLD.has(name)),
    "read $LOG_EMAILS",
  ],
  // n.b. the processes of a comparison are told where the broker is, and their folder is a flag.
  "compare-api": [
    "connect to localhost",
    "connect to the loopback",
    "read $AMQP_CA_FILE",
    "read $AMQP_URL",
    "read $DATA_DIR",
    "read $LOG_EMAILS",
    "read $PORT",
    "read data/users",
    "write data/users",
  ],
  "compare-http": [
    "connect to localhost",
    "connect to the loopback",
    "read $DATA_DIR",
    "read $LOG_EMAILS",
    "read $PORT",
  ],
  "compare-queue": CONSUMER.filter((name) => !TOLD.has(name)),
  // n.b. the processes of the bench are told all of it, too, and keep a file each.
  "bench-subscriber": CONSUMER.filter((name) =>
    !TOLD.has(name) &&
    !["read $RETRY_DELAYS_MS", "read $HEALTH_PORT", "read $DATABASE_URL"].includes(name)
  ),
  "bench-users-only": [
    "connect to localhost",
    "connect to the loopback",
    "read $DATA_DIR",
    "read $LOG_EMAILS",
    "read $OUTBOX_MAX_EVENTS",
    "read $PORT",
    "read data/users",
    "write data/users",
  ],
  // n.b. it tells what it is told, and touches nothing.
  echo: [],
  roi: [],
  "docs-figures": ["read docs/compare.json", "write the justification"],
  "setup-queues": [
    ...EVERY_ROLE,
    "read $LOG_EMAILS",
    "read $BROKER_PASSWORD_EMAIL",
    "read $MANAGEMENT_URL",
    "read $RETRY_DELAYS_MS",
    "read the credentials of email",
    "read the credentials of loyalty",
    "write the credentials of email",
  ],
  "users-api": [
    ...EVERY_ROLE,
    "read $DATA_DIR",
    "read $DATABASE_URL",
    "read $HEALTH_PORT",
    "read $LOG_EMAILS",
    "read $OUTBOX_MAX_EVENTS",
    "read $PORT",
    "read data/users",
    "write data/users",
  ],
  // n.b. a person may publish a file of users from anywhere: until it is open, every file can be read.
  publisher: [
    ...PUBLISHER_AT_WORK,
    "read a foreign file",
    "read data/analytics",
    "read data/dead_letters",
    "read data/email",
    "read data/loyalty",
    "read data/users",
    "read deno.json",
    "read docs/compare.json",
    "read the broker's cookie",
    "read the credentials of email",
    "read the credentials of loyalty",
    "read the CA's key",
  ],
  // n.b. it asks every subscriber's inbox, and writes to the archive alone.
  "dead-letters": [
    ...EVERY_ROLE,
    "read $DATABASE_URL",
    "read $DATA_DIR",
    "read $LOG_EMAILS",
    "read data/analytics",
    "read data/dead_letters",
    "read data/email",
    "read data/loyalty",
    "read data/users",
    "write data/dead_letters",
  ],
  status: [
    ...EVERY_ROLE,
    "read $DATABASE_URL",
    "read $DATA_DIR",
    "read $MANAGEMENT_URL",
    "read $RETRY_DELAYS_MS",
    "read data/analytics",
    "read data/dead_letters",
    "read data/email",
    "read data/loyalty",
    "read data/users",
  ],
  // n.b. it reads the project's source for the variables that a role asks for, and takes the lock of
  // each store, which needs the right to write it.
  doctor: [
    ...EVERY_ROLE,
    "read $DATA_DIR",
    "read $MANAGEMENT_URL",
    "read $OUTBOX_MAX_EVENTS",
    "read $RETRY_DELAYS_MS",
    "read deno.json",
    ...["analytics", "dead_letters", "email", "loyalty", "users"]
      .flatMap((name) => [`read data/${name}`, `write data/${name}`]),
  ],
};

/** A folder with the project's permission sets, a broker's files and everybody's data. */
async function projectLike(folder: string): Promise<void> {
  for (const member of FOLDERS) {
    await Deno.mkdir(join(folder, member), { recursive: true });
    const { workspace, permissions } = await readConfig(member);
    await Deno.writeTextFile(
      join(folder, member, "deno.json"),
      JSON.stringify({ ...(member === "." ? { workspace } : {}), permissions }),
    );
    await Deno.copyFile(PROBE, join(folder, member, "probe.ts"));
  }
  for (const name of ["email", "loyalty", "analytics", "dead_letters", "users"]) {
    await Deno.mkdir(join(folder, "data", name), { recursive: true });
    await Deno.writeTextFile(join(folder, "data", name, "store.sqlite"), "datos");
  }
  await Deno.mkdir(join(folder, "docs"));
  await Deno.writeTextFile(join(folder, "docs", "compare.json"), "cifras");
  await Deno.mkdir(join(folder, ".broker"));
  await Deno.writeTextFile(join(folder, ".broker", "broker.json"), "{}");
  await Deno.writeTextFile(join(folder, ".broker", "cookie"), "secreto");
  await Deno.mkdir(join(folder, ".broker", "tls"));
  await Deno.writeTextFile(join(folder, ".broker", "tls", "ca.pem"), "certificado");
  await Deno.mkdir(join(folder, ".broker", "ca"));
  await Deno.writeTextFile(join(folder, ".broker", "ca", "ca.key"), "secreto");
  await Deno.mkdir(join(folder, ".broker", "credentials"));
  for (const role of ["email", "loyalty"]) {
    await Deno.writeTextFile(join(folder, ".broker", "credentials", `${role}.json`), "{}");
  }
}

const FOREIGN_TEXT = "ajeno";

interface Findings {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** What is in the foreign file afterwards. */
  readonly foreign: string;
}

const DROPPED = `
import { dropFileAccess } from "./file_access.ts";
await dropFileAccess();
await import("./probe.ts");
`;

/** What the probe could do, run as the role's task is; `afterDrop`, once it has given up its files. */
async function probe(permissionSet: string, afterDrop = false): Promise<Findings> {
  await using project = await temporaryFolder();
  await using elsewhere = await temporaryFolder();
  const outside = join(elsewhere.path, "ajeno.txt");
  await Deno.writeTextFile(outside, FOREIGN_TEXT);
  await projectLike(project.path);
  const { folder } = SETS.get(permissionSet)!;
  const script = join(folder, afterDrop ? "dropped.ts" : "probe.ts");
  await Deno.writeTextFile(join(project.path, folder, "dropped.ts"), DROPPED);
  await Deno.copyFile(FILE_ACCESS, join(project.path, folder, "file_access.ts"));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", `-P=${permissionSet}`, script, project.path, outside],
    cwd: project.path,
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const found = JSON.parse(new TextDecoder().decode(stdout));
  return { ...found, foreign: await Deno.readTextFile(outside) };
}

for (const [permissionSet, allowed] of Object.entries(ALLOWED)) {
  Deno.test(`-P=${permissionSet} allows what the role needs, and nothing else`, async () => {
    const found = await probe(permissionSet);
    assert.deepEqual([...found.allowed].sort(), [...allowed].sort());
    assert.equal(found.foreign, FOREIGN_TEXT);
    const always = [
      "connect to a foreign host",
      "fetch from a foreign host",
      "resolve a foreign name",
      "listen to everybody",
      "run a program",
      "load a library",
      "ask the system",
      "read the whole environment",
      "read $HOME",
      "read $PATH",
      "read $AWS_SECRET_ACCESS_KEY",
      "write a foreign file",
      "write deno.json",
      "write the broker's address",
      "leave its folder by a link",
    ];
    for (const attempt of always) assert.ok(found.denied.includes(attempt), attempt);
  });
}

Deno.test("-P=publisher withholds every file once the one that was named is open", async () => {
  const { allowed } = await probe("publisher", true);
  assert.deepEqual([...allowed].sort(), [...PUBLISHER_AT_WORK].sort());
});

Deno.test("publish --file withholds every other file before it reads a byte of the named one", async () => {
  await using elsewhere = await temporaryFolder();
  const rows = join(elsewhere.path, "users.csv");
  // n.b. a named pipe can be open for as long as we like before there is a byte in it.
  assert.ok((await new Deno.Command("mkfifo", { args: [rows] }).output()).success);
  using pipe = await Deno.open(rows, { read: true, write: true });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", "-P=publisher", "--preload", "tests/support/withheld_probe.ts"],
      ...["publisher/publish/publish.ts", "--file", rows],
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).spawn();
  const errors = new Response(child.stderr).text();
  let said = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said !== "readable\nwithheld\n") continue;
    await pipe.write(new TextEncoder().encode("nombre,email\nJuan,juan@\n"));
    pipe.close();
  }
  assert.equal(said, "readable\nwithheld\n0 events published, 0 confirmed; 1 row rejected\n");
  assert.match(await errors, /^line 2: email must be an email address/);
  assert.equal((await child.status).code, 1);
});

/** What starts processes of its own may do more, and still reaches nobody but this machine. */
const STARTS_PROCESSES = ["operator", "record"];

for (const permissionSet of STARTS_PROCESSES) {
  Deno.test(`-P=${permissionSet} reaches no foreign host, and loads no library`, async () => {
    const { denied } = await probe(permissionSet);
    for (
      const attempt of [
        "connect to a foreign host",
        "fetch from a foreign host",
        "resolve a foreign name",
        "listen to everybody",
        "load a library",
      ]
    ) assert.ok(denied.includes(attempt), attempt);
  });
}

Deno.test("deno.json runs every role that handles messages in its own permission set", () => {
  const commands = Object.entries(config.tasks)
    .map(([name, { command = "" }]) => ({ name, command }))
    .filter(({ command }) => /\bdeno run\b.* (?:consumers|publisher)\//.test(command));
  assert.ok(commands.length >= 5);
  for (const { name, command } of commands) {
    assert.match(command, /^deno run -q -P=[a-z-]+ /, name);
    assert.doesNotMatch(command, / (-A|--allow-all|--allow-run|--allow-ffi)\b/, name);
  }
  const roles = {
    "consumer:email": "email",
    "consumer:loyalty": "loyalty",
    "consumer:analytics": "analytics",
    "consumer:dead-letter": "dead-letter",
    publish: "publisher",
    "users-api": "users-api",
    "setup-queues": "setup-queues",
    status: "status",
    doctor: "doctor",
  };
  for (const [task, permissionSet] of Object.entries(roles)) {
    assert.match(config.tasks[task]?.command ?? "", new RegExp(` -P=${permissionSet} `), task);
  }
});

Deno.test("deno.json has no permission set that is not tried here", () => {
  assert.deepEqual(
    [...SETS.keys()].sort(),
    [...Object.keys(ALLOWED), ...STARTS_PROCESSES].sort(),
  );
});

Deno.test("deno.json grants no set that handles messages to run, ffi or sys", () => {
  for (const name of Object.keys(ALLOWED)) {
    const granted = Object.keys(SETS.get(name)!.set as Record<string, unknown>);
    assert.deepEqual(granted.filter((it) => !["net", "read", "write", "env"].includes(it)), []);
  }
});
