/** What can be refused without a broker is refused at once: in every command, and no broker is asked. */
import assert from "node:assert/strict";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { eventually } from "../support/eventually.ts";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

type TaskName = keyof typeof config.tasks;

/** What is said of a command line, in this environment. */
interface Misuse {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly says: RegExp;
}

const AMQP_URL: Misuse = {
  env: { AMQP_URL: "http://ana:secreto@127.0.0.1" },
  says: /AMQP_URL must be/,
};
const RETRY_DELAYS: Misuse = {
  env: { RETRY_DELAYS_MS: "5s" },
  says: /RETRY_DELAYS_MS must be delays/,
};
const FAST_RETRY: Misuse = { env: { FAST_RETRY: "yes" }, says: /FAST_RETRY must be 0 or 1/ };
const LOG_LEVEL: Misuse = { env: { LOG_LEVEL: "loud" }, says: /LOG_LEVEL must be/ };
const OPTION: Misuse = { args: ["--opción"], says: /--opción[^]*Usage: deno task/ };
const MANAGEMENT: Misuse = { env: { MANAGEMENT_URL: "ftp://x" }, says: /MANAGEMENT_URL must be/ };

const HEALTH_PORT: Misuse = {
  env: { HEALTH_PORT: "any" },
  says: /HEALTH_PORT must be a whole number from 0/,
};

const CONSUMER: readonly Misuse[] = [
  OPTION,
  AMQP_URL,
  RETRY_DELAYS,
  FAST_RETRY,
  LOG_LEVEL,
  { env: { PREFETCH: "0" }, says: /PREFETCH must be a whole number from 1/ },
  { env: { SIMULATE_FAILURES: "yes" }, says: /SIMULATE_FAILURES must be 0 or 1/ },
  HEALTH_PORT,
];

const REPORT: Misuse = {
  args: ["--report", "missing/folder/report.md"],
  says: /--report missing\/folder\/report\.md cannot be written/,
};

const MISUSES: Partial<Record<TaskName, readonly Misuse[]>> = {
  "setup-queues": [
    OPTION,
    AMQP_URL,
    RETRY_DELAYS,
    FAST_RETRY,
    LOG_LEVEL,
    { ...MANAGEMENT, args: ["--check"] },
  ],
  status: [OPTION, AMQP_URL, RETRY_DELAYS, FAST_RETRY],
  "users-api": [
    OPTION,
    AMQP_URL,
    LOG_LEVEL,
    { args: ["--port", "70000"], says: /--port must be a whole number from 0 to 65535/ },
    { env: { PORT: "x" }, says: /PORT must be a whole number/ },
    { env: { OUTBOX_MAX_EVENTS: "0" }, says: /OUTBOX_MAX_EVENTS must be/ },
    { env: { OUTBOX_MAX_AGE_MS: "1s" }, says: /OUTBOX_MAX_AGE_MS must be/ },
    HEALTH_PORT,
  ],
  "consumer:email": [
    ...CONSUMER,
    { env: { SMTP_URL: "127.0.0.1:25" }, says: /SMTP_URL must be/ },
    { env: { SMTP_URL: "smtp://ana:%secreto@127.0.0.1" }, says: /SMTP_URL must be/ },
  ],
  "consumer:loyalty": [CONSUMER[1]!],
  "consumer:analytics": [CONSUMER[2]!],
  "consumer:dead-letter": [CONSUMER[5]!],
  demo: [OPTION, AMQP_URL, MANAGEMENT],
  broker: [
    OPTION,
    { args: [], says: /Which action\?[^]*Usage/ },
    { args: ["explode"], says: /Unknown action: explode/ },
    { args: ["start", "--nodes", "2"], says: /--nodes must be 1 or 3/ },
    { args: ["start", "--nodes", "3"], says: /AMQP_URL names one that is not ours/ },
    { ...AMQP_URL, args: ["start"] },
    { ...MANAGEMENT, args: ["start"] },
    { ...MANAGEMENT, args: ["status"] },
  ],
  chaos: [
    OPTION,
    REPORT,
    { args: ["--events", "1"], says: /--events must be a whole number from 100/ },
    { args: ["--faults", "tea"], says: /There is no fault "tea"/ },
    { args: ["--level", "best"], says: /--level must be one of/ },
    { args: ["--nodes", "2"], says: /--nodes must be 1 or 3/ },
  ],
  lesson: [OPTION, { args: ["tea"], says: /Unknown lesson: tea/ }],
  compare: [
    OPTION,
    REPORT,
    { args: ["--seconds", "1"], says: /--seconds must be a whole number from 2/ },
    { args: ["--seconds", "5", "--quick"], says: /leave --seconds or --quick out/ },
  ],
  roi: [OPTION, { args: ["--signups", "x"], says: /--signups must be a number/ }],
};

/** Where a broker is expected, and where it is counted who comes. */
class Doorbell implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #listening = this.#listen();
  rings = 0;

  get amqpUrl(): string {
    return `amqp://ana:secreto@127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  async #listen(): Promise<void> {
    for await (const visitor of this.#listener) {
      this.rings++;
      visitor.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#listening;
  }
}

/** What `deno.json` runs for a task, without the word `deno`. */
function commandOf(task: TaskName): readonly string[] {
  return config.tasks[task].command.split(" ").slice(1);
}

/** Demands of each misuse that it ends with 2 and its message, shows no secret and asks no broker. */
async function assertRefused(task: TaskName, misuses: readonly Misuse[]): Promise<void> {
  await using doorbell = new Doorbell();
  for (const { args = [], env = {}, says } of misuses) {
    const { code, stdout, stderr } = await runDeno([...commandOf(task), ...args], {
      AMQP_URL: doorbell.amqpUrl,
      ...env,
    });
    const what = `${task} ${args.join(" ")} ${JSON.stringify(env)}: ${stderr}`;
    assert.equal(code, 2, what);
    assert.match(stderr, says, what);
    assert.match(stderr, /^error: /, what);
    assert.doesNotMatch(stderr, /secreto|^\s+at /m, what);
    assert.equal(stdout, "", what);
    assert.equal(doorbell.rings, 0, what);
  }
}

for (const [task, misuses] of Object.entries(MISUSES)) {
  Deno.test(`${task} refuses what it cannot use with 2, and asks no broker`, async () => {
    await assertRefused(task as TaskName, misuses);
  });
}

Deno.test("publish refuses what it cannot use with 2, and asks no broker", async () => {
  await using folder = await temporaryFolder();
  const file = async (name: string, text: string) => {
    const path = join(folder.path, name);
    await Deno.writeTextFile(path, text);
    return path;
  };
  await Deno.mkdir(join(folder.path, "folder.csv"));
  const header = "nombre,email\n";
  await assertRefused("publish", [
    OPTION,
    { ...AMQP_URL, args: ["--count", "1"] },
    { ...LOG_LEVEL, args: ["--count", "1"] },
    { args: ["--nombre", "", "--email", "nope"], says: /nombre must not be empty.*email must/ },
    { args: ["--nombre", "Eva", "--email", "nope"], says: /cannot be announced: email must/ },
    { args: ["--nombre", "Eva"], says: /--email is missing/ },
    { args: ["--count", "0"], says: /--count must be/ },
    { args: ["--file", "missing.csv"], says: /there is no such file/ },
    { args: ["--file", join(folder.path, "folder.csv")], says: /it is a directory/ },
    { args: ["--file", await file("empty.csv", "")], says: /The CSV is empty/ },
    {
      args: ["--file", await file("empty.jsonl", "\n")],
      says: /There is no user in .*empty\.jsonl/,
    },
    {
      args: ["--file", await file("header.csv", header)],
      says: /There is no user in .*header\.csv/,
    },
    { args: ["--file", await file("wrong.csv", "a,b\n1,2\n")], says: /must name the columns/ },
    { args: ["--file", "-"], says: /The CSV is empty/ },
    { args: ["--event", "Compra"], says: /--event must be one of UsuarioCreado, CompraRealizada/ },
    {
      args: ["--user-id", "u-1", "--total", "7"],
      says: /--total does not belong to UsuarioCreado/,
    },
  ]);
});

Deno.test("publish --event CompraRealizada refuses what it cannot use with 2, and asks no broker", async () => {
  const event = ["--event", "CompraRealizada"];
  const flags = [...event, "--user-id", "u-1", "--currency", "MXN"];
  await assertRefused("publish", [
    { args: event, says: /Give one of: --user-id, --total, --currency and --item, --count, or/ },
    { args: [...event, "--nombre", "Eva"], says: /--nombre does not belong to CompraRealizada/ },
    { args: [...flags, "--item", "cafe:1"], says: /--total is missing/ },
    { args: [...flags, "--total", "1250"], says: /--item is missing/ },
    {
      args: [...flags, "--total", "12.50", "--item", "cafe"],
      says: /The purchase cannot be announced: total must .*; items\.0\.quantity is missing/,
    },
    { args: [...flags, "--count", "1"], says: /Give one of/ },
    {
      args: [...event, "--file", "tests/fixtures/users.csv"],
      says: /must name the columns user_id/,
    },
  ]);
});

Deno.test("the usage text of each command fits 80 columns", async () => {
  const commands = Object.entries(config.tasks)
    .filter(([, { command }]) => command.startsWith("deno run "))
    .map(([name]) => name);
  assert.ok(commands.length > 10, "the commands were found");
  for (const name of commands) {
    const { code, stdout, stderr } = await runDeno(["task", "-q", name, "--help"]);
    assert.equal(code, 0, `${name}: ${stderr}`);
    assert.match(stdout, /Usage: deno task /, name);
    const wide = stdout.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(wide, [], name);
  }
});

Deno.test("publish tells what is wrong with each row before it asks a broker, and asks none for bad rows alone", async () => {
  await using doorbell = new Doorbell();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...commandOf("publish"), "--file", "-"],
    cwd: PROJECT_ROOT,
    env: { AMQP_URL: doorbell.amqpUrl },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  let said = "";
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  await stdin.write(new TextEncoder().encode("nombre,email\nEva,nope\n"));
  await eventually(() => assert.match(said, /^line 2: email must/)); // The pipe is open still.
  await stdin.write(new TextEncoder().encode(",eva@example.com\n"));
  await eventually(() => assert.match(said, /^line 3: nombre must not be empty/m));
  await stdin.close();
  const stdout = await new Response(child.stdout).text();
  await listening;
  assert.equal((await child.status).code, 1);
  assert.equal(stdout, "0 events published, 0 confirmed; 2 rows rejected\n");
  assert.equal(doorbell.rings, 0);
});
