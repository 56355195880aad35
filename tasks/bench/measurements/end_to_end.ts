/** Measurement 4: from `deno task publish` to the effects of all three subscribers, every one a process. */
import { newWorkshop, publishAsAProcess, ThreeConsumers } from "../processes/roles.ts";
import { inTurns } from "../spread.ts";
import type { World } from "../world.ts";
import { olderSource } from "./older_source.ts";

/** Effects a second of all three subscribers together, turn by turn. */
export interface EndToEndResult {
  readonly now: readonly number[];
  /** The same of the source before the tuning; absent where its commit is not there. */
  readonly before?: readonly number[];
}

/** This source, and the older one beside it, with their logs as they are by default. */
export async function measureEndToEnd(world: World): Promise<EndToEndResult> {
  const { plan, say } = world;
  const runs = Math.min(plan.runs, 3);
  const root = await olderSource(world);
  say("end-to-end: real processes …");
  if (root === undefined) {
    return await inTurns({ now: () => endToEndRate(world) }, runs);
  }
  return await inTurns({
    now: () => endToEndRate(world),
    before: () => endToEndRate(world, root),
  }, runs);
}

async function endToEndRate(world: World, root?: string): Promise<number> {
  const { endToEnd, warmUp } = world.plan;
  await using place = await newWorkshop(world);
  await using consumers = await ThreeConsumers.start(world, place, { root });
  const warm = Math.min(warmUp, endToEnd / 10);
  await publishAsAProcess(world, place, warm, { root });
  await consumers.untilDone(warm);
  const start = performance.now();
  const publishing = publishAsAProcess(world, place, endToEnd, { root });
  await Promise.all([publishing, consumers.untilDone(warm + endToEnd)]);
  return 3 * endToEnd / (performance.now() - start) * 1000;
}
