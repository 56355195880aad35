/** `deno task publish` as a person runs it, in its sandbox: what it prints, and where the events end. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { GetMessage } from "amqplib";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import { SUBSCRIBER_QUEUES, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { usuarioCreadoForm } from "../../publisher/publish/events/usuario_creado.ts";
import { generateRows } from "../../publisher/publish/sources/generated.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CSV = "tests/fixtures/users.csv";
const PURCHASE = ["--event", "CompraRealizada", "--user-id", "u-1", "--total", "1250"]
  .concat("--item", "cafe-1kg:1");
const QUEUES = Object.values(SUBSCRIBER_QUEUES);

const broker = brokerOfFile();

function startPublish(amqpUrl: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=publisher", "publisher/publish/publish.ts", ...args],
    cwd: ROOT,
    env: { AMQP_URL: amqpUrl },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command to its end, with `stdin` as its standard input. */
async function publish(amqpUrl: string, args: readonly string[], stdin = "") {
  const child = startPublish(amqpUrl, args);
  await write(child, stdin);
  await child.stdin.close();
  return await finished(child);
}

async function write(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

async function finished(child: Deno.ChildProcess) {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function namesIn(messages: readonly GetMessage[]): string[] {
  return messages.map(({ content }) => JSON.parse(content.toString()).nombre);
}

Deno.test("publish announces the user of its flags to every subscriber, and says that it is confirmed", async () => {
  await using bench = await Bench.open(broker);
  const user = { nombre: "Juan Perez", email: "juan@example.com", user_id: "u-1" };
  const { code, stdout, stderr } = await publish(
    bench.amqpUrl,
    ["--nombre", user.nombre, "--email", user.email, "--user-id", user.user_id],
  );
  assert.deepEqual({ code, stdout, stderr }, {
    code: 0,
    stdout: "1 event published, 1 confirmed\n",
    stderr: "",
  });
  for (const queue of QUEUES) {
    const { nombre, email, user_id } = JSON.parse((await bench.only(queue)).content.toString());
    assert.deepEqual({ nombre, email, user_id }, user);
  }
});

Deno.test("publish --event CompraRealizada announces a purchase to whoever wants purchases, and to nobody else", async () => {
  await using bench = await Bench.open(broker);
  const flags = "--user-id u-1 --total 1250 --currency MXN --item cafe:2 --item taza:1".split(" ");
  const purchase = ["--event", "CompraRealizada", ...flags, "--purchase-id", "p-1"];
  assert.deepEqual(await publish(bench.amqpUrl, purchase), {
    code: 0,
    stdout: "1 event published, 1 confirmed\n",
    stderr: "",
  });
  for (const queue of ["loyalty_queue", "analytics_queue"]) {
    const { content, properties } = await bench.only(queue);
    const { event_id, timestamp, ...told } = JSON.parse(content.toString());
    assert.equal(properties.messageId, event_id);
    assert.ok(!Number.isNaN(Date.parse(timestamp)));
    assert.deepEqual(told, {
      event_type: "CompraRealizada",
      schema_version: 2,
      purchase_id: "p-1",
      user_id: "u-1",
      total: 1250,
      currency: "MXN",
      items: [{ sku: "cafe", quantity: 2 }, { sku: "taza", quantity: 1 }],
    });
  }
  assert.equal(await bench.depth("email_queue"), 0);
});

Deno.test("publish --event CompraRealizada publishes a file's rows and invented ones, and names those that fail", async () => {
  await using bench = await Bench.open(broker);
  const event = ["--event", "CompraRealizada"];
  const csv = "user_id,total,currency,items\nu-1,1250,MXN,cafe:2;taza:1\nu-2,12.50,MXN,cafe:1\n";
  const fromFile = await publish(bench.amqpUrl, [...event, "--file", "-"], csv);
  assert.equal(fromFile.code, 1);
  assert.equal(fromFile.stdout, "1 event published, 1 confirmed; 1 row rejected\n");
  assert.match(fromFile.stderr, /^line 3: total must be a whole number of minor units/);
  assert.equal((await publish(bench.amqpUrl, [...event, "--count", "9"])).code, 0);
  assert.equal(await bench.depth("loyalty_queue"), 10);

  for (const queue of ["loyalty_queue", "analytics_queue"]) {
    await bench.channel.unbindQueue(queue, "purchase_events", "");
  }
  const { code, stderr } = await publish(bench.amqpUrl, [...event, "--count", "1"]);
  assert.equal(code, 1);
  assert.match(stderr, /^purchase 1: returned \(purchase [0-9a-f-]{36}\): .*setup-queues/);
});

Deno.test("publish needs the exchange of its own event alone, and says what to run where it is missing", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteExchange("purchase_events");
  assert.equal((await publish(bench.amqpUrl, ["--count", "1"])).code, 0);
  const purchases = ["--event", "CompraRealizada", "--count", "1"];
  const { code, stderr } = await publish(bench.amqpUrl, purchases);
  assert.equal(code, 1);
  assert.match(stderr, /"purchase_events" does not exist\. Run: deno task setup-queues/);
});

for (const [level, deliveryMode] of [["simple", 1], ["persistent", 2]] as const) {
  Deno.test(`publish --level ${level} sends the event, and claims no more than that`, async () => {
    await using bench = await Bench.open(broker);
    // n.b. without confirms a quorum queue may drop what it has when the channel closes; a classic
    // queue shows what left the command.
    await bench.channel.assertQueue("classic_queue", { durable: true });
    await bench.channel.bindQueue("classic_queue", "user_events", "");
    const { code, stdout } = await publish(bench.amqpUrl, ["--count", "3", "--level", level]);
    assert.equal(code, 0);
    assert.match(stdout, /^3 events published, 0 confirmed\n.*not known.*\n$/);
    await eventually(async () => assert.equal(await bench.depth("classic_queue"), 3));
    for (const { properties } of await bench.drain("classic_queue")) {
      assert.equal(properties.deliveryMode, deliveryMode);
    }
  });
}

Deno.test("publish --file publishes the valid rows in their order, and reports each of the others", async () => {
  await using bench = await Bench.open(broker);
  const { code, stdout, stderr } = await publish(bench.amqpUrl, ["--file", CSV]);
  assert.equal(code, 1);
  assert.equal(stdout, "6 events published, 6 confirmed; 5 rows rejected\n");
  assert.deepEqual(stderr.match(/^line \d+: /gm), [5, 6, 8, 9, 12].map((line) => `line ${line}: `));
  assert.match(stderr, /^line 5: email must not be empty$/m);
  for (const queue of QUEUES) {
    assert.deepEqual(namesIn(await bench.drain(queue)), [
      "María José Núñez",
      'Pérez, Juan "Juancho"',
      "Íñigo Ñáñez 🌱",
      "Ana Belén Castro",
      "José Ángel Íñiguez",
      "Último Sin Salto",
    ]);
  }
});

Deno.test("publish --json prints one object with every rejected row, and nothing else", async () => {
  await using bench = await Bench.open(broker);
  const { code, stdout, stderr } = await publish(bench.amqpUrl, ["--file", CSV, "--json"]);
  assert.equal(code, 1);
  assert.equal(stderr, "");
  assert.match(stdout, /^\{.*\}\n$/);
  const { rejected, ...counts } = JSON.parse(stdout);
  assert.deepEqual(counts, { published: 6, confirmed: 6 });
  assert.deepEqual(rejected[0], { line: 5, reason: "email must not be empty" });
  assert.deepEqual(rejected.map(({ line }: { line: number }) => line), [5, 6, 8, 9, 12]);
  assert.equal(await bench.depth("email_queue"), 6);
});

Deno.test("publish --json reports an event that nobody would read as failed", async () => {
  await using bench = await Bench.open(broker);
  for (const queue of QUEUES) await bench.channel.unbindQueue(queue, USER_EVENTS_EXCHANGE, "");
  const { code, stdout } = await publish(bench.amqpUrl, ["--count", "2", "--json"]);
  assert.equal(code, 1);
  const { failed, ...counts } = JSON.parse(stdout);
  assert.deepEqual(counts, { published: 0, confirmed: 0, rejected: [] });
  assert.deepEqual(
    failed.map(({ line, status }: { line: number; status: string }) => [line, status]),
    [[1, "returned"], [2, "returned"]],
  );
  assert.match(failed[0].reason, /setup-queues/);
});

Deno.test("publish stops reading when everything fails", async () => {
  await using bench = await Bench.open(broker);
  for (const queue of QUEUES) await bench.channel.unbindQueue(queue, USER_EVENTS_EXCHANGE, "");
  const { code, stdout, stderr } = await publish(bench.amqpUrl, ["--count", "50000"]);
  assert.equal(code, 1);
  assert.match(stderr, /^Stopped after 500 failures in a row/m);
  const returned = Number(/\((\d+) returned\)/.exec(stdout)?.[1]);
  assert.ok(returned >= 500 && returned < 2_000, stdout);
});

Deno.test("publish --file - reads JSON Lines or CSV from the standard input", async () => {
  await using bench = await Bench.open(broker);
  const jsonl = `{"nombre":"Eva Ñu","email":"eva@example.com"}\n`;
  const csv = "email;nombre\nleo@example.com;Leo Güell\n";
  for (const input of [jsonl, csv]) {
    assert.equal((await publish(bench.amqpUrl, ["--file", "-"], input)).code, 0);
  }
  assert.deepEqual(namesIn(await bench.drain("email_queue")), ["Eva Ñu", "Leo Güell"]);
});

Deno.test("publish --count --seed publishes the invented users, with the failures asked for", async () => {
  await using bench = await Bench.open(broker);
  const failures = ["--fail", "email:2", "--fail", "loyalty:always"];
  const args = ["--count", "20", "--seed", "7", ...failures];
  assert.equal((await publish(bench.amqpUrl, args)).code, 0);
  const messages = await bench.drain("loyalty_queue");
  const invent = usuarioCreadoForm.invent!;
  const expected = await Array.fromAsync(generateRows({ invent, count: 20, seed: 7 }));
  assert.deepEqual(namesIn(messages), expected.map(({ fields }) => fields.nombre));
  for (const { properties } of messages) {
    assert.equal(properties.headers?.[X_SIMULATE_FAILURES], "email:2,loyalty:always");
  }
});

Deno.test("publish ends at an interrupt, with what was published until then", async () => {
  await using bench = await Bench.open(broker);
  const child = startPublish(bench.amqpUrl, ["--file", "-", "--json"]);
  await write(child, "nombre,email\nEva,eva@example.com\nLeo,leo@example.com\nHalf,half@exa");
  await eventually(async () => assert.equal(await bench.depth("email_queue"), 2));
  child.kill("SIGINT");
  const { code, stdout } = await finished(child);
  await child.stdin.close().catch(() => {});
  assert.equal(code, 130);
  assert.deepEqual(JSON.parse(stdout), { published: 2, confirmed: 2, rejected: [] });
  assert.deepEqual(namesIn(await bench.drain("email_queue")), ["Eva", "Leo"]);
});

Deno.test("publish rejects what cannot be meant, with 2, and publishes nothing", async () => {
  await using bench = await Bench.open(broker);
  const misuses: [string[], RegExp][] = [
    [[], /Give one of[^]*Usage: deno task publish/],
    [["--nombre", "Eva"], /--email is missing[^]*Usage/],
    [["--count", "3", "--file", CSV], /Give one of[^]*Usage/],
    [["--count", "0"], /--count must be a whole number from 1/],
    [["--count", "1", "--level", "best"], /simple, persistent, robust, got "best"/],
    [["--count", "1", "--fail", "email"], /SUBSCRIBER:TIMES/],
    [["--count", "1", "--fail", "emial:2"], /email, loyalty and analytics; got "emial"/],
    [[...PURCHASE, "--currency", "ZZZ"], /--currency must be an ISO 4217 code .*got "ZZZ"/],
    [["--file", "deno.lock"], /\.csv, \.jsonl, \.ndjson/],
    [["--file", "missing.csv"], /^error: Cannot read missing\.csv: there is no such file\n$/],
  ];
  const runs = await Promise.all(misuses.map(([args]) => publish(bench.amqpUrl, args)));
  for (const [i, { code, stdout, stderr }] of runs.entries()) {
    const [args, message] = misuses[i]!;
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  }
  assert.equal(await bench.depth("email_queue"), 0);
});

for (const level of ["simple", "robust"]) {
  Deno.test(`publish --level ${level} says that there is no broker, without a stack trace`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const url = `amqp://ecomarket_user:secret@127.0.0.1:${port}`;
    const { code, stdout, stderr } = await publish(url, ["--count", "1", "--level", level]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: No broker answered at amqp:.*deno task broker start/m);
    assert.doesNotMatch(stderr, /secret|^\s+at /m);
  });
}
