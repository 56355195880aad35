/** The second comparison: a subscriber, or the broker, is not well. Who notices? */
import type { Apis, Load, World } from "../fleet/world.ts";
import { Latencies } from "../load/latencies.ts";
import type { Outage, OutageResult } from "../result.ts";
import { OUTAGES } from "../result.ts";
import { type ByVariant, forEachVariant } from "../variants.ts";

/** In the middle, so that one is told before it, and one after. */
const VICTIM = "loyalty";
const SLOW_MS = 2_000;
/** 5 %. */
const FAIL_EVERY = 20;

/** Tries every outage on each of the four. */
export async function measureOutages(
  world: World,
  apis: Apis,
): Promise<Readonly<Record<Outage, ByVariant<OutageResult>>>> {
  const found: Partial<Record<Outage, ByVariant<OutageResult>>> = {};
  for (const outage of OUTAGES) {
    world.say(`  ${outage}`);
    found[outage] = await suffer(world, apis, outage);
  }
  return found as Record<Outage, ByVariant<OutageResult>>;
}

/** n.b. what is lost is told after the outage: until then, it is only late. */
async function suffer(
  world: World,
  apis: Apis,
  outage: Outage,
): Promise<ByVariant<OutageResult>> {
  await begin(world, outage);
  const loads = await forEachVariant((variant) =>
    world.load(apis.of[variant], variant, world.plan.outage)
  );
  if (outage === "down") await world.fleet.start(VICTIM);
  if (outage === "brokerDown") await world.broker.start();
  const results = await forEachVariant((variant) => told(world, loads[variant]));
  if (outage === "slow" || outage === "failing") await world.fleet.restart(VICTIM);
  return results;
}

async function begin({ fleet, broker, plan }: World, outage: Outage): Promise<void> {
  const latencyMs = plan.subscriberMs;
  switch (outage) {
    case "down":
      return await fleet.stop(VICTIM);
    case "slow":
      return await fleet.restart(VICTIM, { latencyMs: SLOW_MS });
    case "failing":
      return await fleet.restart(VICTIM, { latencyMs, failEvery: FAIL_EVERY });
    case "brokerDown":
      return await broker.kill();
  }
}

async function told(world: World, load: Load): Promise<OutageResult> {
  const signups = load.samples.length;
  return {
    signups,
    refused: load.refused.length,
    successRate: load.accepted.length / signups,
    ...Latencies.of(load.samples.map(({ latencyMs }) => latencyMs)).percentiles,
    ...await world.settle(load),
  };
}
