/** A migration is killed with -9 again and again while events come: nothing is lost. */
import assert from "node:assert/strict";
import { DEAD_LETTER_QUEUE } from "@ecomarket/shared/contract/topology";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import {
  assertMigrated,
  declareOtherwise,
  ids,
  publishConfirmed,
  wantedArguments,
} from "../support/migration.ts";
import { setupQueues, startSetupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();

const QUEUE = "email_queue";

Deno.test("setup-queues --migrate loses nothing that is published meanwhile, however often it is killed", async () => {
  await using bench = await Bench.open(broker);
  await declareOtherwise(bench, QUEUE, { ...wantedArguments(QUEUE), "x-delivery-limit": 7 });
  const publisher = await bench.connection.createConfirmChannel();
  const published: string[] = [];
  let isPublishing = true;
  const publishing = (async () => {
    for (let n = 0; isPublishing || n < 50; n++) {
      const id = `m-${n}`;
      await publishConfirmed(publisher, id);
      published.push(id);
    }
  })();
  await eventually(() => assert.ok(published.length >= 50));

  const killedAfterMs: number[] = [];
  while (killedAfterMs.length < 6) {
    // n.b. a whole migration takes over two seconds: twice it waits for a queue to stay empty for one.
    const afterMs = Math.round(200 + Math.random() * 1_800);
    const command = startSetupQueues(broker, bench.amqpUrl, ["--migrate"]);
    const timer = setTimeout(() => command.kill("SIGKILL"), afterMs);
    const { signal } = await command.status;
    clearTimeout(timer);
    if (signal !== "SIGKILL") break; // It was done before.
    killedAfterMs.push(afterMs);
  }
  assert.ok(killedAfterMs.length > 0);
  const last = await eventually(async () => {
    const finished = await setupQueues(broker, bench.amqpUrl, ["--migrate"]);
    assert.equal(finished.code, 0, finished.stderr);
    return finished;
  });
  isPublishing = false;
  await publishing;

  const context = `killed after ${killedAfterMs.join(", ")} ms; ${last.stderr}`;
  await assertMigrated(broker, bench);
  const arrived = new Set(ids(await bench.drain(QUEUE)));
  assert.deepEqual(published.filter((id) => !arrived.has(id)), [], context);
  assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 0, context);
});
