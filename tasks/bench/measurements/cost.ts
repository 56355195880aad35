/** Measurement 6: how soon a consumer works, and what it takes of the machine. */
import { join } from "node:path";
import { signups } from "@ecomarket/testbed/events/signups";
import { costOf } from "../processes/cost_of.ts";
import { CONSUMES, effectsIn, newWorkshop, startConsumer } from "../processes/roles.ts";
import { inTurns } from "../spread.ts";
import type { World } from "../world.ts";

/** What a consumer costs. What is told of processes is absent where the system does not tell it. */
export interface CostResult {
  /** From its start to the handler's first line in the log, turn by turn. */
  readonly startToFirstDeliveryMs: readonly number[];
  /** Before its first delivery. */
  readonly idleMiB?: number;
}

/** What the handler of analytics logs of every signup. */
const FIRST_LINE = "One more signup";
/** How long an idle consumer is left alone before it is looked at. */
const IDLE_MS = 2_000;

/** Of `consumers/analytics.ts`, with one event in its queue, or none. */
export async function measureCost(world: World): Promise<CostResult> {
  const { plan, say } = world;
  say("cost: start to first delivery …");
  const { start } = await inTurns({ start: () => startToFirstDelivery(world) }, plan.runs + 1);
  say("cost: an idle consumer …");
  const idleMiB = await idle(world);
  return {
    startToFirstDeliveryMs: start.slice(1), // The first one reads its source from the disk.
    ...(idleMiB === undefined ? {} : { idleMiB }),
  };
}

async function startToFirstDelivery(world: World): Promise<number> {
  await using place = await newWorkshop(world);
  await place.fill(signups(1).values());
  const dataDir = await world.newFolder("data");
  await using consumer = startConsumer("analytics", place, dataDir);
  await consumer.says(FIRST_LINE);
  const took = performance.now() - consumer.startedAt;
  const isDone = () => effectsIn(join(dataDir, "analytics"), "analytics") === 1;
  await place.until(isDone, world.signal);
  return took;
}

async function idle(world: World): Promise<number | undefined> {
  await using place = await newWorkshop(world);
  await using consumer = startConsumer("analytics", place, await world.newFolder("data"));
  await consumer.says(CONSUMES);
  const from = performance.now();
  await place.until(() => performance.now() - from > IDLE_MS, world.signal);
  return (await costOf(consumer.pid))?.residentMiB;
}
