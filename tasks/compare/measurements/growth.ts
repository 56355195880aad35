/** The third comparison: what each further subscriber costs the person who signs up. */
import type { World } from "../fleet/world.ts";
import type { Percentiles } from "../load/latencies.ts";
import type { GrowthResult } from "../result.ts";
import { type ByVariant, VARIANTS } from "../variants.ts";
import { editedCopy, WORKSHOP_SUBSCRIBERS } from "./effort.ts";
import { measureLatency } from "./latency.ts";

/** Latency with more and more subscribers; `first` is what the same load found with the first three. */
export async function measureGrowth(
  world: World,
  first: ByVariant<Percentiles>,
): Promise<ByVariant<readonly GrowthResult[]>> {
  const found: ByVariant<GrowthResult[]> = { coupled: [], queueEach: [], direct: [], events: [] };
  const add = (subscribers: number, latency: ByVariant<Percentiles>) => {
    for (const variant of VARIANTS) found[variant].push({ subscribers, ...latency[variant] });
  };
  add(WORKSHOP_SUBSCRIBERS, first);
  for (const subscribers of world.plan.growth) {
    if (subscribers === WORKSHOP_SUBSCRIBERS) continue;
    world.say(`  ${subscribers} subscribers`);
    await world.fleet.growTo(subscribers);
    await using copy = await editedCopy(world.fleet.names.slice(WORKSHOP_SUBSCRIBERS));
    await using apis = await world.startApis(copy.path);
    add(subscribers, await measureLatency(world, apis, world.plan.growthLoad));
  }
  return found;
}
