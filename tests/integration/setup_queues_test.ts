/** `deno task setup-queues`, in its sandbox, against a real broker. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  ManagementClient,
  readTopology,
  type StandingTopology,
  vhostOf,
} from "@ecomarket/shared/broker/management";
import { fullTopology } from "@ecomarket/shared/contract/topology";
import { testVhost } from "@ecomarket/testbed/broker/test_broker";
import { copyProject } from "../../testbed/project/project_copy.ts";
import type { Finished } from "../../testbed/project/run_deno.ts";
import { Bench, recordingConsumer, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { setupQueues as runSetupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();

/** Runs the command against the virtual host of `amqpUrl`. */
function setupQueues(
  amqpUrl: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runSetupQueues(broker, amqpUrl, args, env);
}

/** What stands in the virtual host of `amqpUrl`, in an order of its own. */
async function standing(amqpUrl: string): Promise<StandingTopology> {
  const client = new ManagementClient(broker.managementUrl);
  const { exchanges, queues, bindings } = await readTopology(client, vhostOf(amqpUrl));
  const sorted = <T>(things: readonly T[]) =>
    [...things].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { exchanges: sorted(exchanges), queues: sorted(queues), bindings: sorted(bindings) };
}

/** The lines of a text that is not empty. */
function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

Deno.test("setup-queues declares everything, shows it, and may be run again", async () => {
  await using vhost = await testVhost(broker);
  const first = await setupQueues(vhost.amqpUrl);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stderr, "");
  const { queues } = fullTopology(TEST_DELAYS_MS);
  for (const { name } of queues) assert.ok(first.stdout.includes(` ${name} `), name);
  assert.match(first.stdout, /│ email_queue {2,}│ user_events {2,}│ dead_letters +│/);
  assert.match(
    first.stdout,
    /│ email_queue\.retry\.50 +│ email_queue\.retry +│ back after 0\.05 s +│/,
  );
  assert.match(first.stdout, /\n7 exchanges, 14 queues and 19 bindings stand\.\n$/);
  const before = await eventually(async () => {
    const stands = await standing(vhost.amqpUrl);
    assert.deepEqual(
      new Set(stands.queues.map(({ name }) => name)),
      new Set(queues.map(({ name }) => name)),
    );
    return stands;
  });

  const second = await setupQueues(vhost.amqpUrl);
  assert.deepEqual(second, first);
  assert.deepEqual(await standing(vhost.amqpUrl), before);
});

Deno.test("setup-queues --check finds nothing to say of what setup-queues declared", async () => {
  await using bench = await Bench.open(broker);
  const { code, stdout, stderr } = await setupQueues(bench.amqpUrl, ["--check"]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.equal(stdout, "Everything stands as it should.\n");
});

Deno.test("setup-queues --check names a new subscriber, which is no difference", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.assertQueue("audit_queue", { arguments: { "x-queue-type": "quorum" } });
  await bench.channel.bindQueue("audit_queue", "user_events", "");
  const { code, stdout } = await setupQueues(bench.amqpUrl, ["--check"]);
  assert.equal(code, 0);
  assert.equal(stdout, "Further subscribers: audit_queue\nEverything stands as it should.\n");
});

Deno.test("setup-queues --check declares nothing, and says what is missing", async () => {
  await using vhost = await testVhost(broker);
  const before = await standing(vhost.amqpUrl);
  const { code, stdout, stderr } = await setupQueues(vhost.amqpUrl, ["--check"]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.equal(lines(stderr).length, 7 + 14 + 19 + 1);
  assert.ok(stderr.endsWith("40 difference(s). Nothing was changed.\n"));
  assert.deepEqual(await standing(vhost.amqpUrl), before);
});

Deno.test("setup-queues --check names a missing queue, a missing binding and a changed argument", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteQueue("loyalty_queue");
  await bench.channel.unbindQueue("email_queue", "user_events", "");
  await bench.channel.deleteQueue("analytics_queue.retry.50");
  const { arguments: wanted } = fullTopology(TEST_DELAYS_MS).queues
    .find(({ name }) => name === "analytics_queue.retry.50")!;
  const changed = { ...wanted, "x-message-ttl": 60 };
  await bench.channel.assertQueue("analytics_queue.retry.50", { arguments: changed });
  await bench.channel.bindQueue("analytics_queue.retry.50", "analytics_queue.retry", "50");
  await eventually(async () => {
    const { code, stdout, stderr } = await setupQueues(bench.amqpUrl, ["--check"]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.deepEqual(lines(stderr), [
      'The queue "loyalty_queue" is missing. Run: deno task setup-queues',
      'The queue "analytics_queue.retry.50" stands otherwise: its x-message-ttl is 60, 50 was ' +
      "wanted. Stop its consumers, then run this, which moves its messages into a new one: " +
      "deno task setup-queues --migrate",
      'The binding of "email_queue" to "user_events" is missing. Run: deno task setup-queues',
      'The binding of "loyalty_queue" to "loyalty_queue.retry" with the key "loyalty_queue" is ' +
      "missing. Run: deno task setup-queues",
      'The binding of "loyalty_queue" to "user_events" is missing. Run: deno task setup-queues',
      'The binding of "loyalty_queue" to "purchase_events" is missing. Run: deno task setup-queues',
      "6 difference(s). Nothing was changed.",
    ]);
  });
  const mended = await setupQueues(bench.amqpUrl);
  assert.equal(mended.code, 1, "what is missing it can declare, what differs it may not touch");
  assert.match(mended.stderr, /^error: The queue "analytics_queue\.retry\.50" stands with other/);
});

/** Declares `email_queue` otherwise, with a message in it, and runs the command. */
async function drift(
  args: Readonly<Record<string, unknown>>,
): Promise<Finished & { readonly kept: string }> {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteQueue("email_queue");
  await bench.channel.assertQueue("email_queue", { durable: true, arguments: args });
  bench.channel.sendToQueue("email_queue", Buffer.from("quédate"), { persistent: true });
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 1));
  const finished = await setupQueues(bench.amqpUrl);
  const { content } = await bench.only("email_queue");
  return { ...finished, kept: content.toString() };
}

const ADVICE = "Nothing was changed. Stop its consumers, then run this, which moves its messages " +
  "into a new one: deno task setup-queues --migrate\n";

Deno.test("setup-queues names an argument that differs, and keeps the queue and its messages", async () => {
  const { arguments: wanted } = fullTopology([]).queues.find(({ name }) => name === "email_queue")!;
  const { code, stdout, stderr, kept } = await drift({ ...wanted, "x-delivery-limit": 20 });
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    'error: The queue "email_queue" stands with other arguments: its x-delivery-limit is "20", ' +
      `"3" was wanted. ${ADVICE}`,
  );
  assert.equal(kept, "quédate");
});

Deno.test("setup-queues says that a queue of an older script differs, and keeps it", async () => {
  // What `channel.queue_declare("email_queue", durable=True)` declares. n.b. which of its differences
  // is named first depends on the broker's version.
  const { code, stderr, kept } = await drift({});
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: The queue "email_queue" stands with other arguments: its x-[a-z-]+ is (none|"classic"), "\S+" was wanted\. /,
  );
  assert.ok(stderr.endsWith(ADVICE));
  assert.equal(kept, "quédate");
});

Deno.test("setup-queues names an exchange of another type, and keeps it", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteExchange("user_events");
  await bench.channel.assertExchange("user_events", "topic");
  const { code, stderr } = await setupQueues(bench.amqpUrl);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: The exchange "user_events" stands with other arguments: its type is "topic", "fanout" was wanted\./,
  );
  const { exchanges } = await standing(bench.amqpUrl);
  assert.equal(exchanges.find(({ name }) => name === "user_events")?.type, "topic");
});

Deno.test("setup-queues says that no broker answers, and what to run, and shows no password", async () => {
  const { code, stdout, stderr } = await setupQueues("amqp://ana:secreto@127.0.0.1:1");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^error: No broker answered at amqp:\/\/ana:\*\*\*@127\.0\.0\.1:1 \(.*ECONNREFUSED.*\)\. Start one with: deno task broker start/,
  );
  assert.equal(lines(stderr).length, 1, "no stack trace");
  assert.doesNotMatch(stderr, /secreto/);
});

Deno.test("setup-queues says that the broker refuses the password, and does not show it", async () => {
  const url = broker.amqpUrl.replace("ecomarket_password", "secreto");
  const { code, stderr } = await setupQueues(url);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: The broker at .* refused the connection \(.*ACCESS.REFUSED.*\)\. Check/,
  );
  assert.equal(lines(stderr).length, 1);
  assert.doesNotMatch(stderr, /secreto/);
});

Deno.test("setup-queues --check says that the management API does not answer", async () => {
  const env = { MANAGEMENT_URL: "http://ana:secreto@127.0.0.1:1" };
  const { code, stderr } = await setupQueues(broker.amqpUrl, ["--check"], env);
  assert.equal(code, 1);
  assert.match(stderr, /^error: The management API at http:\/\/ana:\*\*\*@127\.0\.0\.1:1 does not/);
  assert.equal(lines(stderr).length, 1);
  assert.doesNotMatch(stderr, /secreto/);
});

Deno.test("setup-queues --check names a queue that two subscribers consume", async () => {
  await using bench = await Bench.open(broker);
  await using _email = bench.run(recordingConsumer());
  await using _sms = bench.run(recordingConsumer(() => {}, { name: "sms" }));
  await eventually(async () => {
    const { code, stderr } = await setupQueues(bench.amqpUrl, ["--check"]);
    assert.equal(code, 1);
    assert.deepEqual(lines(stderr), [
      'The queue "email_queue" is consumed under different names, "ecomarket email" and ' +
      '"ecomarket sms": each event reaches one of them only. Give each subscriber a queue of its own',
      "1 difference(s). Nothing was changed.",
    ]);
  });
});

Deno.test("setup-queues refuses two subscribers on one queue, and declares nothing", async () => {
  await using vhost = await testVhost(broker);
  await using copy = await copyProject();
  const topology = join(copy.path, "shared", "contract", "topology.ts");
  const text = await Deno.readTextFile(topology);
  await Deno.writeTextFile(
    topology,
    text.replace('loyalty: "loyalty_queue"', 'loyalty: "email_queue"'),
  );
  const before = await standing(vhost.amqpUrl);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=setup-queues", "setup/queues/setup_queues.ts"],
    cwd: copy.path,
    env: { AMQP_URL: vhost.amqpUrl },
    stdin: "null",
  }).output();
  assert.equal(code, 2);
  assert.match(
    new TextDecoder().decode(stderr),
    /^error: The subscribers "email" and "loyalty" share the queue "email_queue": .* SUBSCRIBER_QUEUES of shared\/contract\/topology\.ts\n$/,
  );
  assert.deepEqual(await standing(vhost.amqpUrl), before);
});

Deno.test("setup-queues ends with 2 for what it does not understand, before it touches anything", async () => {
  await using vhost = await testVhost(broker);
  const before = await standing(vhost.amqpUrl);
  const unknown = await setupQueues(vhost.amqpUrl, ["--chek"]);
  assert.equal(unknown.code, 2);
  assert.match(
    unknown.stderr,
    /^error: .*--chek.*\n\nUsage: deno task setup-queues \[--check \| --migrate\]\n/,
  );
  const malformed = await setupQueues(vhost.amqpUrl, [], { RETRY_DELAYS_MS: "5s" });
  assert.equal(malformed.code, 2);
  assert.match(malformed.stderr, /^error: RETRY_DELAYS_MS must be delays/);
  assert.deepEqual(await standing(vhost.amqpUrl), before);
});

Deno.test("setup-queues shows its table within 80 columns, also with the longest of the usual names", async () => {
  await using vhost = await testVhost(broker);
  const { stdout } = await setupQueues(vhost.amqpUrl, [], { RETRY_DELAYS_MS: "120000" });
  assert.match(stdout, /│ analytics_queue\.retry\.120000 │ .*│ back after 120 s │/);
  assert.deepEqual(stdout.split("\n").filter((line) => line.length > 80), []);
});

Deno.test("setup-queues --help shows how to use it", async () => {
  const { code, stdout, stderr } = await setupQueues("amqp://127.0.0.1:1", ["--help"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /^Usage: deno task setup-queues \[--check \| --migrate\]\n/);
});
