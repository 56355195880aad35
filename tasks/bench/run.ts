/** One run of the bench: the measurements that are wanted, one after the other. */
import { measureBacklog } from "./measurements/backlog.ts";
import { measureConsume, measureEffects } from "./measurements/consume.ts";
import { measureCost } from "./measurements/cost.ts";
import { measureGrowth } from "./measurements/growth.ts";
import { measureLatency } from "./measurements/latency.ts";
import { measureOutbox } from "./measurements/outbox.ts";
import { measureEndToEnd } from "./measurements/end_to_end.ts";
import { measurePublish } from "./measurements/publish.ts";
import type { Measurement } from "./plan.ts";
import type { Measured } from "./result.ts";
import type { World } from "./world.ts";

/** Makes those of `wanted` in `world`. */
export async function runBench(
  world: World,
  wanted: ReadonlySet<Measurement>,
): Promise<Measured> {
  const { plan } = world;
  const measure = async <T>(name: Measurement, of: () => Promise<T>): Promise<T | undefined> =>
    wanted.has(name) ? await of() : undefined;
  return {
    publish: await measure("publish", () => measurePublish(world)),
    consume: await measure("consume", () => measureConsume(world)),
    effects: await measure("effects", () => measureEffects(world)),
    endToEnd: await measure("end-to-end", () => measureEndToEnd(world)),
    latency: await measure("latency", () => measureLatency(world)),
    outbox: await measure("outbox", () => measureOutbox(world)),
    cost: await measure("cost", () => measureCost(world)),
    growth: await measure("growth", () => measureGrowth(world)),
    smallBacklog: await measure("growth", () => measureBacklog(world, plan.smallBacklog)),
    largeBacklog: await measure("growth", () => measureBacklog(world, plan.largeBacklog)),
  };
}
