/** The users API as a process in its sandbox, with a real broker and the real subscribers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { SUBSCRIBER_QUEUES, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, startAllConsumers } from "../support/roles.ts";
import {
  assertReadiness,
  outboxIds,
  post,
  READY,
  registerAll,
  startApi,
} from "../support/users_api.ts";

const broker = brokerOfFile();

const QUEUES = Object.values(SUBSCRIBER_QUEUES);

Deno.test("users-api answers 201, and the effects of every subscriber follow", async () => {
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  await using api = await startApi(bench);
  const users = await registerAll(api, 50);
  assert.deepEqual((await api.get(`/users/${users[7]!.user_id}`)).body, users[7]);
  await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, users)));
  await eventually(() => assertReadiness(api, READY));
  assert.deepEqual(outboxIds(bench), []);
  const said = api.records.map(({ message }) => message).join("\n");
  assert.match(said, /Registered .* <"?\[email\]"?>/);
  assert.doesNotMatch(said, /inigo\d+@|ecomarket_password/);
});

Deno.test("users-api finishes its requests and empties its outbox when it is asked to stop", async () => {
  await using bench = await Bench.open(broker);
  await using api = await startApi(bench);
  await eventually(() => assertReadiness(api, READY)); // One that is not connected keeps what waits.
  const started = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const body = new ReadableStream<Uint8Array>({ start: started.resolve });
  const headers = { "Content-Type": "application/json" };
  const slow = fetch(`${api.url}/users`, { method: "POST", headers, body });
  const encoder = new TextEncoder();
  const controller = await started.promise;
  controller.enqueue(encoder.encode('{"nombre":"Lento",'));
  const users = await registerAll(api, 200);

  const stopped = api.process.stop();
  await eventually(() => {
    assert.ok(api.records.some(({ message }) => message.startsWith("Stopping")));
  });
  controller.enqueue(encoder.encode('"email":"lento@example.com"}'));
  controller.close();
  const answer = await slow;
  assert.equal(answer.status, 201);
  const late = await answer.json();
  assert.equal((await stopped).code, 0);

  assert.deepEqual(outboxIds(bench), []);
  const expected = [...users, late].map(({ event_id }) => event_id).sort();
  for (const queue of QUEUES) {
    const ids = await bench.drainIds(queue);
    assert.deepEqual(ids.sort(), expected, queue);
  }
});

Deno.test("users-api gives the same answer to a request that is repeated after kill -9", async () => {
  await using bench = await Bench.open(broker);
  const headers = { "Idempotency-Key": "k-1" };
  let first: unknown;
  {
    await using api = await startApi(bench);
    first = await (await post(api, 1, headers)).json();
    assert.equal((await api.process.kill()).signal, "SIGKILL");
  }
  await using api = await startApi(bench);
  const again = await post(api, 1, headers);
  assert.equal(again.status, 201);
  assert.equal(again.headers.get("Idempotency-Replayed"), "true");
  assert.deepEqual(await again.json(), first);
  await eventually(() => assertReadiness(api, READY));
  const ids = (await bench.drain("email_queue")).map(({ properties }) => properties.messageId);
  // n.b. the kill may have come between the confirm and its note: then the same event came twice.
  assert.deepEqual([...new Set(ids)], [(first as { event_id: string }).event_id]);
});

Deno.test("users-api keeps an event that nobody would read, says what to run, and publishes it after that", async () => {
  await using bench = await Bench.open(broker);
  for (const queue of QUEUES) await bench.channel.unbindQueue(queue, USER_EVENTS_EXCHANGE, "");
  await using api = await startApi(bench);
  const [user] = await registerAll(api, 1);
  await eventually(() => {
    assert.ok(api.records.some(({ message }) => /returned: .*setup-queues/.test(message)));
  });
  assert.deepEqual(outboxIds(bench), [user!.event_id]);
  const { body } = await api.get("/readyz");
  assert.match((body.relay as { problem: string }).problem, /setup-queues/);

  // n.b. one queue: with several, the event may leave between their bindings.
  await bench.channel.bindQueue("loyalty_queue", USER_EVENTS_EXCHANGE, "");
  await eventually(() => assert.deepEqual(outboxIds(bench), []));
  assert.equal((await bench.only("loyalty_queue")).properties.messageId, user!.event_id);
  await eventually(() => assertReadiness(api, READY));
  assert.equal("problem" in ((await api.get("/readyz")).body.relay as object), false);
});

Deno.test("users-api registers while the events exchange is missing, and publishes once it is there", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteExchange(USER_EVENTS_EXCHANGE);
  await using api = await startApi(bench);
  const [user] = await registerAll(api, 1);
  await eventually(async () => {
    const { body } = await api.get("/readyz");
    assert.equal(body.status, "degraded");
    assert.match((body.relay as { problem: string }).problem, /"user_events" does not exist/);
  });
  await bench.channel.assertExchange(USER_EVENTS_EXCHANGE, "fanout", { durable: true });
  await bench.channel.bindQueue("email_queue", USER_EVENTS_EXCHANGE, "");
  await eventually(() => assert.deepEqual(outboxIds(bench), []));
  assert.equal((await bench.only("email_queue")).properties.messageId, user!.event_id);
});

Deno.test("users-api registers while the broker refuses it, and shows no password", async () => {
  await using bench = await Bench.open(broker);
  const refused = bench.amqpUrl.replace("ecomarket_password", "secreto");
  await using api = await startApi(bench, { amqpUrls: [refused] });
  await registerAll(api, 1);
  await eventually(async () => {
    const { status, body } = await api.get("/readyz");
    assert.equal(status, 200);
    assert.equal(body.status, "degraded");
    assert.match((body.relay as { problem: string }).problem, /refused the connection.*AMQP_URL/);
    assert.doesNotMatch(JSON.stringify(body), /secreto/);
  });
  assert.doesNotMatch(JSON.stringify(api.records), /secreto/);
  assert.equal(outboxIds(bench).length, 1);
});

Deno.test("users-api takes a client that goes away in the middle of its body for no fault of its own", async () => {
  await using bench = await Bench.open(broker);
  await using api = await startApi(bench);
  const { hostname, port } = new URL(api.url);
  for (const length of ["Content-Length: 100", "Transfer-Encoding: chunked"]) {
    using client = await Deno.connect({ hostname, port: Number(port) });
    const head = `POST /users HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json`;
    await client.write(new TextEncoder().encode(`${head}\r\n${length}\r\n\r\n5\r\n{"nom`));
  }
  await eventually(() => {
    const gone = api.records.filter(({ message }) => /the client is gone/.test(message));
    assert.equal(gone.length, 2);
  });
  assert.deepEqual(api.records.filter(({ level }) => level === "ERROR"), []);
  await registerAll(api, 1);
});

Deno.test("users-api names the port that is in use, and what to do", async () => {
  await using bench = await Bench.open(broker);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await assert.rejects(startApi(bench, { port }), (error: Error) => {
    assert.match(
      error.message,
      new RegExp(`ended \\(1\\)\\. error: Another program .*port ${port}`),
    );
    assert.match(error.message, new RegExp(`deno task users-api --port ${port + 1}$`));
    return true;
  });
});

Deno.test("users-api refuses the store of another users API, and takes it over once that one is killed", async () => {
  await using bench = await Bench.open(broker);
  await using first = await startApi(bench);
  await assert.rejects(startApi(bench), (error: Error) => {
    const folder = join(bench.directory, "users");
    assert.match(
      error.message,
      /ended \(1\)\. error: Another users API runs on .*DATA_DIR.*DATABASE_URL\.$/,
    );
    assert.ok(error.message.includes(folder));
    return true;
  });
  await registerAll(first, 1);
  await first.process.kill();
  await using second = await startApi(bench);
  await registerAll(second, 1, 1);
  await eventually(() => assertReadiness(second, READY));
});

Deno.test("users-api refuses a command line that it does not understand, and explains itself", async () => {
  const command = ["run", "-q", "-P=users-api", "publisher/api/users_api.ts"];
  const help = await runDeno([...command, "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: deno task users-api/);
  const wrong = await runDeno([...command, "--port", "70000"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--port must be a whole number from 0 to 65535/);
  assert.equal((await runDeno([...command, "--puerto", "1"])).code, 2);
  assert.equal((await runDeno(command, { PORT: "x" })).code, 2);
});
