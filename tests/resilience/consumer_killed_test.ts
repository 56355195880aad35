/** The workshop's second test: a subscriber dies while it handles, and nobody else notices. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { DELIVERY_LIMIT } from "@ecomarket/shared/contract/topology";
import { startTestBroker, type TestBroker } from "@ecomarket/testbed/broker/test_broker";
import { signups } from "@ecomarket/testbed/events/signups";
import { CONSUMERS } from "@ecomarket/testbed/processes/roles";
import { Bench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import {
  assertEffects,
  deadLetters,
  eventIds,
  publishAll,
  startAllConsumers,
  startConsumer,
} from "../support/roles.ts";
import { startSmtpServer } from "../support/smtp_server.ts";

let broker: TestBroker;
Deno.test.beforeAll(async () => {
  broker = await startTestBroker();
});
Deno.test.afterAll(async () => await broker[Symbol.asyncDispose]());

Deno.test("an event whose consumer is killed while it handles is handled by the next one", async () => {
  await using bench = await Bench.open(broker);
  // It takes the call and says nothing to the first email: whoever sends it is handling for long.
  let calls = 0;
  await using mailServer = await startSmtpServer({ silentAt: () => ++calls > 0 });
  await using loyalty = await startConsumer(bench, CONSUMERS.loyalty);
  await using email = await startConsumer(bench, CONSUMERS.email, {
    env: { SMTP_URL: `smtp://127.0.0.1:${mailServer.port}` },
  });
  const events = signups(3);
  await publishAll(bench, events);
  await eventually(() => assert.ok(calls >= 1, "it handles"));
  const { signal } = await email.kill();
  assert.equal(signal, "SIGKILL");

  await eventually(() => assertEffects(bench, "loyalty", events));
  assertEffects(bench, "email", []);
  assert.equal((await bench.status("email_queue")).consumers, 0);

  await using _restarted = await startConsumer(bench, CONSUMERS.email);
  await eventually(() => assertEffects(bench, "email", events));
  const later = signups(1);
  await publishAll(bench, later);
  await eventually(() => assertEffects(bench, "email", [...events, ...later]));
  await eventually(() => assertEffects(bench, "loyalty", [...events, ...later]));
  assert.equal((await loyalty.stop()).code, 0);
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});

Deno.test("an event that kills its consumer each time is dead-lettered, and no innocent one beside it", async () => {
  await using bench = await Bench.open(broker);
  const crashing = {
    name: "email",
    script: "tests/support/crashing_consumer.ts",
    permissionSet: "crashing-consumer",
    folder: "email",
  };
  const guilty = createUsuarioCreado({
    user_id: "guilty",
    nombre: "Culpable",
    email: "culpable@example.com",
  });
  const innocent = signups(299);
  await publishAll(bench, [...innocent.slice(0, 150), guilty, ...innocent.slice(150)]);
  await using _archive = await startConsumer(bench, CONSUMERS["dead-letter"]);

  // n.b. a delivery limit of N allows N + 1 deliveries.
  for (let delivery = 0; delivery <= DELIVERY_LIMIT; delivery++) {
    assert.deepEqual(deadLetterReasons(bench), []);
    await using consumer = await startConsumer(bench, crashing, { env: { PREFETCH: "100" } });
    assert.equal((await consumer.status).signal, "SIGKILL");
  }

  await using _survivor = await startConsumer(bench, crashing);
  await eventually(() => {
    const expected = innocent.map(({ event_id }) => event_id).sort();
    assert.deepEqual(eventIds(bench, "email", "sent_emails"), expected);
  });
  assert.deepEqual(deadLetterReasons(bench), ["delivery_limit"]);
  assert.deepEqual([...deadLetters(bench, "email").keys()], [guilty.event_id]);
});

function deadLetterReasons(bench: Bench): string[] {
  const path = join(bench.directory, "dead_letters", "store.sqlite");
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare("SELECT reason FROM dead_letters").all().map((row) => String(row.reason));
  } finally {
    db.close();
  }
}

Deno.test("each consumer ends with 0 when it is asked to stop, and what it was given is done", async () => {
  await using bench = await Bench.open(broker);
  const consumers = await startAllConsumers(bench);
  const events = signups(500);
  await publishAll(bench, events);
  for (const consumer of Object.values(consumers)) {
    assert.equal((await consumer.stop()).code, 0);
  }
  await startAllConsumers(bench);
  for (const name of ["email", "loyalty", "analytics"] as const) {
    await eventually(() => assertEffects(bench, name, events));
  }
});
