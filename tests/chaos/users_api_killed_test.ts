/** The users API is killed at any moment: whoever was told of a user finds it, and its effects, once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startTestBroker, type TestBroker } from "@ecomarket/testbed/broker/test_broker";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { storesReader } from "@ecomarket/testbed/stores/stores_reader";
import { readApiBooks } from "../../tasks/chaos/accounts/api_books.ts";
import { auditApi } from "../../tasks/chaos/accounts/api_ledger.ts";
import { killApiUnderLoad } from "../../tasks/chaos/faults/api_kills.ts";
import { Bench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, startAllConsumers } from "../support/roles.ts";
import { registerAll, startApi } from "../support/users_api.ts";

let broker: TestBroker;
Deno.test.beforeAll(async () => {
  broker = await startTestBroker();
});
Deno.test.afterAll(async () => await broker[Symbol.asyncDispose]());

const KILLS = 15;

Deno.test(`after ${KILLS} kills of the API under load, users = events = effects`, async () => {
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  const folderOf = (name: string) => join(bench.directory, name);

  const { answers, kills, repeated } = await killApiUnderLoad({
    amqpUrls: [bench.amqpUrl],
    dataDir: bench.directory,
    kills: KILLS,
  });
  assert.equal(kills, KILLS, "each kill happened");
  assert.ok(repeated >= KILLS, "and was noticed");
  assert.ok(answers.length > KILLS, "while users were registered");

  await using stores = await storesReader(folderOf, undefined);
  const { ledger } = await eventually(async () => {
    const audit = auditApi(await readApiBooks(answers, stores));
    assert.deepEqual(audit.violations, []);
    return audit;
  }, 60_000);
  const all = answers.length;
  const effects = Object.fromEntries(SUBSCRIBERS.map((name) => [name, all]));
  assert.deepEqual(ledger, { answered: all, users: all, announced: all, waiting: 0, effects });

  await using api = await startApi(bench);
  const later = await registerAll(api, 3);
  const events = [...answers.map(({ eventId }) => ({ event_id: eventId })), ...later];
  await eventually(() => SUBSCRIBERS.forEach((name) => assertEffects(bench, name, events)));
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});
