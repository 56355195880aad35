/** Measurement 7: what more subscribers, larger events and more consumers of one queue change. */
import { connect } from "amqplib";
import { Buffer } from "node:buffer";
import {
  subscriberSlice,
  type Topology,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { DEFAULT_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { signups } from "@ecomarket/testbed/events/signups";
import { TimedProcess } from "../processes/timed_process.ts";
import { openRobust } from "../publishers/robust.ts";
import { drainWithLoop } from "../subscribers/loop.ts";
import type { Place, World } from "../world.ts";
import { publishRate } from "./publish.ts";

/** One step, and what came of it a second. */
export interface GrowthStep {
  readonly of: number;
  readonly perSecond: number;
}

/** All steps. */
export interface GrowthResult {
  /** Events confirmed, into so many queues. */
  readonly subscribers: readonly GrowthStep[];
  /** Events settled by one loop without a store, of so many bytes. */
  readonly payloadBytes: readonly GrowthStep[];
  /** Effects of so many processes with a store each, on one queue. */
  readonly competitors: readonly GrowthStep[];
}

const QUEUE = "growing_queue";
const WINDOW = 256;
const PREFETCH = 100;

/** In one turn each: it is the shape that tells. */
export async function measureGrowth(world: World): Promise<GrowthResult> {
  const { plan, say } = world;
  say("growth: more subscribers …");
  const subscribers = await steps(plan.subscribers, (count) => withSubscribers(world, count));
  say("growth: larger events …");
  const payloadBytes = await steps(plan.payloadBytes, (bytes) => withPayload(world, bytes));
  say("growth: more consumers of one queue …");
  const competitors = await steps(plan.competitors, (count) => withCompetitors(world, count));
  return { subscribers, payloadBytes, competitors };
}

async function steps(
  sizes: readonly number[],
  measure: (size: number) => Promise<number>,
): Promise<GrowthStep[]> {
  const found: GrowthStep[] = [];
  for (const of of sizes) found.push({ of, perSecond: await measure(of) });
  return found;
}

function slice(queue: string): Topology {
  return subscriberSlice({ queue, exchanges: [USER_EVENTS_EXCHANGE] }, DEFAULT_RETRY_DELAYS_MS);
}

async function withSubscribers(world: World, count: number): Promise<number> {
  const slices = Array.from({ length: count }, (_, n) => slice(`${QUEUE}_${n}`));
  await using place = await world.newPlace({
    exchanges: slices.flatMap(({ exchanges }) => exchanges),
    queues: slices.flatMap(({ queues }) => queues),
    bindings: slices.flatMap(({ bindings }) => bindings),
  });
  return await publishRate(world, place, openRobust, WINDOW);
}

async function withPayload(world: World, bytes: number): Promise<number> {
  await using place = await world.newPlace(slice(QUEUE));
  const count = Math.min(world.plan.acked, Math.ceil(world.plan.payloadTotal / bytes));
  await fillPadded(place, count, bytes);
  return await drainWithLoop({
    amqpUrl: place.amqpUrl,
    queue: QUEUE,
    count,
    prefetch: PREFETCH,
    folder: await world.newFolder("store"),
    signal: world.signal,
  });
}

/** n.b. no field of an event may be so long: a field that nobody knows is, and every reader drops it. */
async function fillPadded(place: Place, count: number, bytes: number): Promise<void> {
  const connection = await connect(place.amqpUrl);
  const channel = await connection.createConfirmChannel();
  for (const event of signups(count)) {
    const missing = Math.max(0, bytes - Buffer.byteLength(JSON.stringify({ ...event, pad: "" })));
    const body = Buffer.from(JSON.stringify({ ...event, pad: "x".repeat(missing) }));
    const hasRoom = channel.publish(USER_EVENTS_EXCHANGE, "", body, { persistent: true });
    if (!hasRoom) await channel.waitForConfirms();
  }
  await channel.waitForConfirms();
  await connection.close();
}

async function withCompetitors(world: World, count: number): Promise<number> {
  const { plan, signal } = world;
  await using place = await world.newPlace(slice(QUEUE));
  await using cleanup = new AsyncDisposableStack();
  const competitors: TimedProcess[] = [];
  for (let n = 0; n < count; n++) {
    competitors.push(cleanup.use(await TimedProcess.start(world, place, "loop", QUEUE)));
  }
  await place.fill(signups(plan.effects).values());
  await place.until(async () => await place.waitingIn(QUEUE) === 0, signal);
  const all = await Promise.all(competitors.map((competitor) => competitor.times()));
  const times = all.flatMap((of) => [...of.values()]);
  return (times.length - 1) / (Math.max(...times) - Math.min(...times)) * 1000;
}
