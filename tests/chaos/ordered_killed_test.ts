/** An ordered subscriber in two processes on one store, killed with -9 again and again: no inversion. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { RoleScript } from "@ecomarket/testbed/processes/roles";
import type { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { inversions } from "../support/inversions.ts";
import { startConsumer } from "../support/roles.ts";

const broker = brokerOfFile();

const EVENTS = 100_000;
const USERS = 500;
const LEAST_KILLS = 20;
/** So long a process lives, and its successor after it. */
const LIFE_MS = 700;
const BATCH = 1_000;

const ORDERED: RoleScript = {
  name: "email",
  script: "tests/support/ordered_consumer.ts",
  permissionSet: "crashing-consumer",
  folder: "email",
};

async function publishAll(bench: Bench): Promise<string[]> {
  const channel = await bench.connection.createConfirmChannel();
  const ids: string[] = [];
  for (let n = 0; n < EVENTS; n++) {
    const fields = { user_id: `u-${n % USERS}`, nombre: "Ana", email: "ana@example.com" };
    const event = createUsuarioCreado(fields);
    const { content, options } = encode(event);
    channel.publish("user_events", "", content, options);
    ids.push(event.event_id);
    if (n % BATCH === BATCH - 1) await channel.waitForConfirms();
  }
  await channel.close();
  return ids;
}

function handled(bench: Bench): number {
  return readStore(
    join(bench.directory, "email"),
    (db) => Number(db.prepare("SELECT count(*) AS n FROM handled").get()!.n),
  ) ?? 0;
}

Deno.test("an ordered subscriber shows no inversion over 100,000 events while its processes are killed", async () => {
  await using bench = await Bench.open(broker);
  const start = () => startConsumer(bench, ORDERED);
  const running: SandboxedProcess[] = [bench.cleanup.use(await start())];
  running.push(bench.cleanup.use(await start()));
  const publishing = publishAll(bench);
  publishing.catch(() => {}); // Awaited below.
  let kills = 0;
  while (kills < LEAST_KILLS || handled(bench) < EVENTS / 2) {
    await delay(LIFE_MS);
    const victim = running.shift()!;
    victim.kill();
    assert.equal((await victim.status).signal, "SIGKILL");
    kills++;
    running.push(bench.cleanup.use(await start()));
  }
  const ids = await publishing;
  await eventually(() => assert.equal(handled(bench), EVENTS), 600_000);
  const done = readStore(
    join(bench.directory, "email"),
    (db) =>
      db.prepare("SELECT event_id, user_id FROM handled ORDER BY rowid").all()
        .map(({ event_id, user_id }) => ({ event_id: String(event_id), user_id: String(user_id) })),
  );
  assert.deepEqual(inversions(done!, ids), []);
  assert.equal(new Set(done!.map(({ event_id }) => event_id)).size, EVENTS);
  await bench.assertEmpty("dead_letter_queue");
});
