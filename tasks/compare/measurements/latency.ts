/** The first comparison: how long a person who signs up waits, all being well. */
import type { Apis, World } from "../fleet/world.ts";
import { Latencies, type Percentiles } from "../load/latencies.ts";
import type { LoadPlan } from "../plan.ts";
import { type ByVariant, byVariant, VARIANTS } from "../variants.ts";

/** In rounds, so that a busy moment of the machine does not meet one of the four alone. */
export async function measureLatency(
  world: World,
  apis: Apis,
  plan: LoadPlan,
): Promise<ByVariant<Percentiles>> {
  const latencies = byVariant(() => new Latencies());
  for (let round = 0; round < plan.rounds; round++) {
    for (const variant of VARIANTS) {
      const load = await world.load(apis.of[variant], variant, plan);
      if (load.refused.length > 0) {
        throw new Error(`${variant} refused ${load.refused.length} signups, all being well`);
      }
      for (const { latencyMs } of load.samples) latencies[variant].record(latencyMs);
      await world.settle(load);
    }
  }
  return byVariant((variant) => latencies[variant].percentiles);
}
