/** One comparison, from the first subscriber to the last figure. */
import type { World } from "./fleet/world.ts";
import { measureEffort, WORKSHOP_SUBSCRIBERS } from "./measurements/effort.ts";
import { measureGrowth } from "./measurements/growth.ts";
import { measureLatency } from "./measurements/latency.ts";
import { measureOutages } from "./measurements/outages.ts";
import { measureThroughput } from "./measurements/throughput.ts";
import type { Measured } from "./result.ts";

/** Makes all five in `world`, in an order in which none disturbs the next. */
export async function runComparison(world: World): Promise<Measured> {
  const { plan, say, fleet } = world;
  say(
    `Starting ${WORKSHOP_SUBSCRIBERS} subscribers of ${plan.subscriberMs} ms, and the four APIs …`,
  );
  await fleet.growTo(WORKSHOP_SUBSCRIBERS);
  const { withThree, ...measured } = await withThreeSubscribers(world);
  say("5 of 5: adding a subscriber …");
  const effort = await measureEffort(world);
  say("3 of 5: more subscribers; now more …");
  const growth = await measureGrowth(world, withThree);
  return { ...measured, effort, growth };
}

/** All that needs no more than the first three, and no other source of any publisher. */
async function withThreeSubscribers(
  world: World,
): Promise<Omit<Measured, "effort" | "growth"> & { readonly withThree: Measured["latencyMs"] }> {
  const { plan, say } = world;
  await using apis = await world.startApis();
  say(`1 of 5: latency at ${plan.latency.ratePerSecond} signups a second …`);
  const latencyMs = await measureLatency(world, apis, plan.latency);
  say("3 of 5: more subscribers; first with three …");
  const withThree = await measureLatency(world, apis, plan.growthLoad);
  say("2 of 5: a subscriber or the broker is not well …");
  const outages = await measureOutages(world, apis);
  say("4 of 5: throughput, until it grows no more …");
  const throughput = await measureThroughput(world, apis);
  return { latencyMs, withThree, outages, throughput };
}
