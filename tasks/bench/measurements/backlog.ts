/** Measurement 7, the backlog: what an event costs a real consumer when ten thousand wait, and a million. */
import { join } from "node:path";
import { poll } from "@ecomarket/shared/base/poll";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { subscriberSlice, SUBSCRIPTIONS } from "@ecomarket/shared/contract/topology";
import { DEFAULT_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { costOf, type ProcessCost } from "../processes/cost_of.ts";
import { CONSUMES, effectsIn, startConsumer } from "../processes/roles.ts";
import type { World } from "../world.ts";

/** How one backlog was drained. What is told of the process is absent where the system does not tell it. */
export interface BacklogResult {
  readonly events: number;
  /** In each tenth of the drain, in order. */
  readonly perSecond: readonly number[];
  readonly cpuSecondsPer100k?: number;
  /** In each tenth of the drain, in order: the largest that was seen. */
  readonly residentMiB?: readonly number[];
}

const PARTS = 10;

/** Drains `events` by `consumers/analytics.ts`, behind what warms it up. */
export async function measureBacklog(world: World, events: number): Promise<BacklogResult> {
  const { plan: { warmUp }, say, signal } = world;
  say(`growth: a backlog of ${events} …`);
  // Its own queue alone: the others' copies would fill the disk.
  const slice = subscriberSlice(SUBSCRIPTIONS.analytics, DEFAULT_RETRY_DELAYS_MS);
  await using place = await world.newPlace(slice);
  await place.fill(manySignups(warmUp + events));
  const dataDir = await world.newFolder("data");
  await using consumer = startConsumer("analytics", place, dataDir);
  await consumer.says(CONSUMES);
  const done = () => effectsIn(join(dataDir, "analytics"), "analytics");
  const until = async (count: number) => {
    await poll(() => done() >= count, { timeoutMs: 600_000, intervalMs: 20, signal });
  };
  await until(warmUp);
  const before = await costOf(consumer.pid);
  const firstDone = done();
  let [from, doneBefore] = [performance.now(), firstDone];
  const perSecond: number[] = [];
  const resident: number[] = [];
  let cost: ProcessCost | undefined;
  for (let part = 1; part <= PARTS; part++) {
    await until(warmUp + Math.ceil(events * part / PARTS));
    const [now, doneNow] = [performance.now(), done()];
    if (doneNow > doneBefore) perSecond.push((doneNow - doneBefore) / (now - from) * 1000);
    [from, doneBefore] = [now, doneNow];
    cost = await costOf(consumer.pid);
    if (cost) resident.push(cost.residentMiB);
  }
  const drained = warmUp + events - firstDone;
  return {
    events,
    perSecond,
    ...(cost && before
      ? {
        cpuSecondsPer100k: (cost.cpuSeconds - before.cpuSeconds) / drained * 100_000,
        residentMiB: resident,
      }
      : {}),
  };
}

/** n.b. made when they are sent: a million of them at once would be this process's memory. */
function* manySignups(count: number): Generator<UsuarioCreado, undefined> {
  for (let n = 0; n < count; n++) {
    yield createUsuarioCreado({
      user_id: `u-${n}`,
      nombre: `María José Ñáñez ${n}`,
      email: `mariajose${n}@example.com`,
    });
  }
}
