/** The fourth comparison: how many signups a second each can answer at most. */
import { setTimeout as delay } from "node:timers/promises";
import { closeInOrder, connectOnce } from "@ecomarket/shared/broker/connection";
import type { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import type { Apis, World } from "../fleet/world.ts";
import { closedLoop } from "../load/closed_loop.ts";
import { ramp } from "../load/ramp.ts";
import { signUp } from "../load/signup_client.ts";
import type { ThroughputResult } from "../result.ts";
import { type ByVariant, forEachVariant, SPECS, type Variant } from "../variants.ts";

/** Ramps each of the four up, then ends it, and clears up what it left to do. */
export function measureThroughput(
  world: World,
  apis: Apis,
): Promise<ByVariant<ThroughputResult>> {
  return forEachVariant((variant) => saturate(world, variant, apis.of[variant]));
}

async function saturate(
  world: World,
  variant: Variant,
  api: SandboxedProcess,
): Promise<ThroughputResult> {
  const { plan, signal, fleet } = world;
  const prefix = world.newPrefix(variant);
  let sent = 0;
  let accepted = 0;
  const url = await api.url;
  const send = async () => {
    const ok = await signUp(url, `${prefix}${sent++}@eco.example`);
    if (ok) accepted++;
    return ok;
  };
  // n.b. the coupled one's first answers come after all of its calls: until then nothing is measured.
  const leadInMs = plan.subscriberMs *
    (SPECS[variant].told === "http" ? fleet.names.length + 1 : 1);
  const measureMs = plan.stepSeconds * 1000;
  const saturation = await ramp(async (concurrency) => {
    const perSecond = await closedLoop(send, { concurrency, leadInMs, measureMs, signal });
    world.say(`  ${SPECS[variant].title}: ${concurrency} at once, ${Math.round(perSecond)} /s`);
    return perSecond;
  }, plan.ramp);
  const done = fleet.recorded(SPECS[variant], prefix).map(({ size }) => size);
  const backlog = Math.max(0, accepted - Math.min(...done));
  // n.b. its outbox goes with it: what it has not published yet is not published any more.
  await api.kill();
  await forget(world);
  return { ...saturation, backlog };
}

/** Empties the queues: what is in them is measured, and would only keep the machine busy. */
async function forget(world: World): Promise<void> {
  const connection = await connectOnce([world.broker.amqpUrl], "compare");
  const channel = await connection.createChannel();
  for (const name of world.fleet.names) await channel.purgeQueue(`${name}_queue`);
  await closeInOrder(channel, connection);
  // What the subscribers hold is done in a moment.
  await delay(world.plan.subscriberMs * 2, undefined, { signal: world.signal });
}
