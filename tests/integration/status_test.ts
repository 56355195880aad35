/** `deno task status`, in its sandbox, beside a consumer that runs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { PARKED_QUEUE, PARKING_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { testVhost } from "@ecomarket/testbed/broker/test_broker";
import { countDeadLetters, countEffects } from "@ecomarket/testbed/stores/effects";
import { pauseOf } from "@ecomarket/testbed/stores/pauses";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";
import { Bench, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const broker = brokerOfFile();

/** n.b. a folder that is not `data/` is one more flag, as docs/reference.md says. */
function status(amqpUrl: string, dataDir: string, ...args: string[]): Promise<Finished> {
  const flags = ["run", "-q", "-P=status", `--allow-read=${dataDir}`];
  return runDeno([...flags, "tasks/status.ts", ...args], {
    AMQP_URL: amqpUrl,
    DATA_DIR: dataDir,
    RETRY_DELAYS_MS: TEST_DELAYS_MS.join(","),
  });
}

/** Every queue, each with `status` but for `changes`. */
function allQueues(status: unknown, changes: Readonly<Record<string, unknown>> = {}) {
  const subscribers = ["email_queue", "loyalty_queue", "analytics_queue"];
  const queues = [
    "dead_letter_queue",
    "dead_letter_queue.parked",
    ...subscribers.flatMap((name) => [name, ...TEST_DELAYS_MS.map((ms) => `${name}.retry.${ms}`)]),
  ];
  return { ...Object.fromEntries(queues.map((name) => [name, status])), ...changes };
}

/** Resolves once each of `queues` has a consumer. */
async function untilConsumed(bench: Bench, ...queues: string[]): Promise<void> {
  await eventually(async () => {
    for (const queue of queues) assert.ok((await bench.status(queue)).consumers > 0, queue);
  });
}

Deno.test("status --json is one object: each queue, each subscriber's effects, the dead letters", async () => {
  await using bench = await Bench.open(broker);
  await using _email = bench.run(emailConsumer(simulatedMailer));
  await using _archive = bench.run(deadLetterConsumer);
  await untilConsumed(bench, "email_queue", "dead_letter_queue");
  for (const nombre of ["Juan Pérez", "María José Ñáñez"]) {
    const event = createUsuarioCreado({ nombre, email: "alguien@example.com" });
    bench.publishRaw(encode(event).content.toString());
  }
  bench.publishRaw("no es JSON {");
  const dataDirOf = (name: string) => join(bench.directory, name);
  await eventually(async () => {
    assert.equal(countEffects("email", dataDirOf), 2);
    assert.equal(countDeadLetters(dataDirOf), 1);
    assert.equal(await bench.depth("loyalty_queue"), 3);
  });
  const { code, stdout, stderr } = await status(bench.amqpUrl, bench.directory, "--json");
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.equal(stdout.split("\n").length, 2, "one line");
  assert.deepEqual(JSON.parse(stdout), {
    queues: allQueues({ ready: 0, consumers: 0 }, {
      dead_letter_queue: { ready: 0, consumers: 1 },
      email_queue: { ready: 0, consumers: 1 },
      loyalty_queue: { ready: 3, consumers: 0 },
      analytics_queue: { ready: 3, consumers: 0 },
    }),
    effects: { email: 2, loyalty: 0, analytics: 0 },
    deadLetters: 1,
    subscribers: {
      email: { state: "consuming" },
      loyalty: { state: "not running" },
      analytics: { state: "not running" },
    },
  });
});

Deno.test("status --json counts one consumer where a subscriber found messages when it started", async () => {
  await using bench = await Bench.open(broker);
  for (let n = 0; n < 3; n++) bench.publishRaw("no es JSON {");
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 3));
  await using _email = bench.run(emailConsumer(simulatedMailer));
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 3));
  const { stdout } = await status(bench.amqpUrl, bench.directory, "--json");
  assert.deepEqual(JSON.parse(stdout).queues.email_queue, { ready: 0, consumers: 1 });
});

Deno.test("status --json says null of a queue that does not exist, and declares none", async () => {
  await using vhost = await testVhost(broker);
  await using folder = await temporaryFolder();
  // n.b. the second look would find what the first had left.
  for (let n = 0; n < 2; n++) {
    const { code, stdout, stderr } = await status(vhost.amqpUrl, folder.path, "--json");
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      queues: allQueues(null),
      effects: { email: 0, loyalty: 0, analytics: 0 },
      deadLetters: 0,
      subscribers: Object.fromEntries(
        ["email", "loyalty", "analytics"].map((name) => [name, { state: "not running" }]),
      ),
    });
  }
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("status shows a person a table, and what to run where queues are missing", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteQueue("loyalty_queue");
  bench.publishRaw("no es JSON {");
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 1));
  const { code, stdout } = await status(bench.amqpUrl, bench.directory);
  assert.equal(code, 0);
  assert.match(stdout, /│ email_queue +│ +1 +│ +0 +│/);
  assert.match(stdout, /│ loyalty_queue +│ missing +│ +│/);
  assert.match(stdout, /│ dead letters +│ +0 +│/);
  assert.match(
    stdout,
    /Queues are missing\. Declare them with: deno task setup-queues\n\(or name the delays/,
  );
});

Deno.test("status names the parked dead letters, and what to do with them", async () => {
  await using bench = await Bench.open(broker);
  const nothingParked = await status(bench.amqpUrl, bench.directory);
  assert.doesNotMatch(nothingParked.stdout, /dead letter\(s\)/);
  bench.publishRaw("aparcado", {}, PARKING_EXCHANGE);
  await eventually(async () => assert.equal(await bench.depth(PARKED_QUEUE), 1));
  const { code, stdout } = await status(bench.amqpUrl, bench.directory);
  assert.equal(code, 0);
  assert.match(stdout, /│ dead_letter_queue\.parked +│ +1 +│ +0 +│/);
  assert.match(
    stdout,
    /\n1 dead letter\(s\) that the archive could not take wait in dead_letter_queue\.parked, .* management UI .* purge that queue\.\n$/,
  );
});

Deno.test("status says that a subscriber is paused, for what and since when, within 80 columns", async () => {
  await using bench = await Bench.open(broker);
  const dependency = {
    name: "the mail server at smtp.example.com:587",
    check: () => Promise.reject(new Error("connect ECONNREFUSED 192.0.2.1:587")),
  };
  const mailer = { ...simulatedMailer, server: dependency };
  await using _email = bench.run(emailConsumer(mailer));
  await eventually(async () => {
    const { stdout } = await status(bench.amqpUrl, bench.directory, "--json");
    const { since, probedAt, ...email } = JSON.parse(stdout).subscribers.email;
    assert.deepEqual(email, {
      state: "paused",
      waitsFor: dependency.name,
      reason: "connect ECONNREFUSED 192.0.2.1:587",
    });
    assert.ok(Date.parse(since) <= Date.parse(probedAt));
  });
  const { stdout } = await status(bench.amqpUrl, bench.directory);
  assert.match(stdout, /│ email +│ +0 +│ paused +│/);
  assert.match(
    stdout.replaceAll("\n", " "),
    /\bemail is paused: since \S+ \S+ UTC it waits for the mail server at smtp\.example\.com:587 \(connect ECONNREFUSED/,
  );
  assert.deepEqual(stdout.split("\n").filter((line) => line.length > 80), []);
});

Deno.test("status tells a pause that a killed process has left from a live one", async () => {
  await using bench = await Bench.open(broker);
  await using store = bench.openStore(emailConsumer(simulatedMailer));
  const since = new Date(Date.now() - 600_000);
  const probedAt = new Date(Date.now() - 120_000);
  await store.notePause({ waitsFor: "the mail server", reason: "caído", since, probedAt });
  const { stdout } = await status(bench.amqpUrl, bench.directory);
  assert.match(stdout, /│ email +│ +0 +│ was paused +│/);
  assert.match(stdout, /^email does not run, and was paused when it ended/m);
  await using _email = bench.run(emailConsumer(simulatedMailer), { store });
  await untilConsumed(bench, "email_queue");
  const running = await status(bench.amqpUrl, bench.directory, "--json");
  assert.deepEqual(JSON.parse(running.stdout).subscribers.email, { state: "consuming" });
  assert.equal(pauseOf("email", (name) => join(bench.directory, name)), undefined);
});

Deno.test("status says that no broker answers, shows what the stores tell, and ends with 1", async () => {
  await using bench = await Bench.open(broker);
  await using store = bench.openStore(emailConsumer(simulatedMailer));
  const pause = { waitsFor: "the mail server", reason: "caído", since: new Date() };
  await store.notePause({ ...pause, probedAt: new Date() });
  const url = "amqp://ana:secreto@127.0.0.1:1";
  const { code, stdout, stderr } = await status(url, bench.directory, "--json");
  assert.equal(code, 1);
  const { subscribers, ...others } = JSON.parse(stdout);
  assert.deepEqual(others, {
    queues: null,
    effects: { email: 0, loyalty: 0, analytics: 0 },
    deadLetters: 0,
  });
  assert.equal(subscribers.email.state, "paused");
  assert.deepEqual(subscribers.loyalty, { state: "unknown" });
  const people = await status(url, bench.directory);
  assert.equal(people.code, 1);
  assert.match(people.stdout, /^┌[^]*│ loyalty +│ +0 +│ unknown +│[^]*\nemail is paused: /);
  assert.match(stderr, /^error: No broker answered at amqp:\/\/ana:\*\*\*@127\.0\.0\.1:1 /);
});
