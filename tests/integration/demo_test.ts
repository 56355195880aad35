/** `deno task demo` as a person runs it, on a broker that is in use: what it proves and what it leaves. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { connect } from "amqplib";
import { z } from "zod";
import { management } from "@ecomarket/testbed/broker/test_broker";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const broker = brokerOfFile();

const DEMO = ["run", "-q", "-P=operator", "tasks/demo/demo.ts"];

/** The demo's environment: this broker, and a folder of its own for temporary files. */
function environment(temporary: string): Record<string, string> {
  const { amqpUrl, managementUrl } = broker;
  return { AMQP_URL: amqpUrl, MANAGEMENT_URL: managementUrl, TMPDIR: temporary, TMP: temporary };
}

const vhostsSchema = z.array(z.object({ name: z.string() }));

async function demoVhosts(): Promise<string[]> {
  const vhosts = vhostsSchema.parse(await management(broker, "GET", "/api/vhosts"));
  return vhosts.map(({ name }) => name).filter((name) => name !== "/");
}

async function assertNothingIsLeft(temporary: string): Promise<void> {
  assert.deepEqual(await demoVhosts(), []);
  assert.deepEqual([...Deno.readDirSync(temporary)].map(({ name }) => name), []);
}

Deno.test("demo --json proves the flow from the stores, and leaves the broker as it was", async () => {
  await using folder = await temporaryFolder();
  await using cleanup = new AsyncDisposableStack();
  const connection = await connect(broker.amqpUrl);
  cleanup.defer(() => connection.close());
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue("email_queue", { durable: true });
  channel.sendToQueue("email_queue", Buffer.from("quédate"), { persistent: true });
  await channel.waitForConfirms();

  const { code, stdout, stderr } = await runDeno([...DEMO, "--json"], environment(folder.path));
  assert.equal(code, 0, stderr);
  assert.equal(stdout.split("\n").length, 2, "one object, and nothing else");
  const result = JSON.parse(stdout);
  assert.ok(Number.isSafeInteger(result.elapsedMs) && result.elapsedMs > 0);
  assert.match(result.broker.version, /^\d+\.\d+\.\d+/);
  assert.deepEqual(result, {
    ok: true,
    published: 6,
    confirmed: 6,
    subscribers: {
      email: { handled: 6, retried: 2, deadLettered: 0 },
      loyalty: { handled: 5, retried: 3, deadLettered: 1 },
      analytics: { handled: 6, retried: 0, deadLettered: 0 },
    },
    deadLetters: 1,
    elapsedMs: result.elapsedMs,
    broker: { kind: "AMQP_URL", version: result.broker.version },
  });
  assert.match(stderr, /publish +6 of 6 confirmed by the broker/);

  await assertNothingIsLeft(folder.path);
  const message = await channel.get("email_queue", { noAck: true });
  assert.ok(message && message.content.toString() === "quédate");
  assert.equal(await channel.get("email_queue", { noAck: true }), false);
  const queues = await management(broker, "GET", "/api/queues/%2F");
  assert.deepEqual((queues as { name: string }[]).map(({ name }) => name), ["email_queue"]);
});

Deno.test("demo takes nothing of what a person has set for roles of their own", async () => {
  await using folder = await temporaryFolder();
  using mailServer = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = mailServer.addr as Deno.NetAddr;
  const theirs = {
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    RETRY_DELAYS_MS: "3600000",
    PREFETCH: "none",
    LOG_EMAILS: "none",
  };
  const { code, stdout, stderr } = await runDeno(
    [...DEMO, "--json"],
    { ...environment(folder.path), ...theirs },
  );
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).subscribers.email.handled, 6, "by the simulated mailer");
});

Deno.test("demo shows a person each event on its way, the sums, and what to try next", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await runDeno(DEMO, environment(folder.path));
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.match(stdout, /email +↻ Lucía Gómez: attempt 2 failed, again in 400 ms/);
  assert.match(stdout, /email +✓ Lucía Gómez: done, at attempt 3/);
  assert.match(stdout, /loyalty +✗ Mateo Díaz: attempt 4 failed, dead-lettered/);
  assert.match(stdout, /│ loyalty +│ +5 +│ +3 +│ +1 +│/);
  assert.match(stdout, /✓ 6 events, \d+ ms\. Each had each effect exactly once/);
  assert.match(stdout, /deno task setup-queues/);
  await assertNothingIsLeft(folder.path);
});

/** Starts the demo in a process group of its own, and returns once it has said `line`. */
async function demoUntil(line: RegExp, temporary: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...DEMO, "--json"],
    cwd: PROJECT_ROOT,
    env: environment(temporary),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const said = Promise.withResolvers<void>();
  void (async () => {
    const stderr: unknown = child.stderr;
    const input = Readable.fromWeb(stderr as Parameters<typeof Readable.fromWeb>[0]);
    for await (const text of createInterface({ input })) if (line.test(text)) said.resolve();
    said.reject(new Error(`The demo ended without saying ${line}`));
  })();
  await said.promise;
  return child;
}

Deno.test("demo ends with 130 after SIGINT while its consumers start, and cleans up", async () => {
  await using folder = await temporaryFolder();
  const child = await demoUntil(/^Starting email/, folder.path);
  assert.equal((await demoVhosts()).length, 1, "it is in the middle of its work");
  child.kill("SIGINT");
  assert.equal((await child.status).code, 130);
  await assertNothingIsLeft(folder.path);
});

Deno.test("demo ends with 130 after a Ctrl+C while events are on their way, and cleans up", async () => {
  await using folder = await temporaryFolder();
  const child = await demoUntil(/confirmed by the broker/, folder.path);
  assert.equal((await demoVhosts()).length, 1, "it is in the middle of its work");
  // n.b. a terminal interrupts the whole process group, the consumers too.
  Deno.kill(-child.pid, "SIGINT");
  assert.equal((await child.status).code, 130);
  await assertNothingIsLeft(folder.path);
});

Deno.test("demo ends with 1 where it may not make a virtual host, and says why", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await runDeno([...DEMO, "--json"], {
    ...environment(folder.path),
    MANAGEMENT_URL: "http://ana:secreto@127.0.0.1:1",
  });
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /error: The management API at http:\/\/ana:\*\*\*@127\.0\.0\.1:1 does not/);
  assert.doesNotMatch(stderr, /secreto|^ +at /m);
  await eventually(() => assertNothingIsLeft(folder.path));
});
