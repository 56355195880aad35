/** Measurement 4, the latency: from when an event was to be published to its effect at the last of three. */
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { signups } from "@ecomarket/testbed/events/signups";
import { Latencies } from "../../compare/load/latencies.ts";
import { openLoop } from "../../compare/load/open_loop.ts";
import { newWorkshop } from "../processes/roles.ts";
import { type TimedKind, TimedProcess } from "../processes/timed_process.ts";
import { openPlainAmqplib } from "../publishers/plain_amqplib.ts";
import { openRobust } from "../publishers/robust.ts";
import type { OpenSender } from "../publishers/sender.ts";
import { inTurns } from "../spread.ts";
import type { World } from "../world.ts";

/** Milliseconds within which so many effects were committed. */
export interface LatencyFigures {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** The figures of each rate, turn by turn. */
export type LatencyResult = readonly {
  readonly ratePerSecond: number;
  readonly ours: readonly LatencyFigures[];
  readonly amqplib: readonly LatencyFigures[];
}[];

/** An open load at each of the rates of the plan. Three processes a side, each with a store of its own. */
export async function measureLatency(world: World): Promise<LatencyResult> {
  const { plan, say } = world;
  const result: LatencyResult[number][] = [];
  for (const ratePerSecond of plan.rates) {
    say(`latency: ${ratePerSecond} events a second …`);
    const turns = await inTurns({
      ours: () => latencies(world, "loop", openRobust, ratePerSecond),
      amqplib: () => latencies(world, "by-hand", openPlainAmqplib, ratePerSecond),
    }, Math.min(plan.runs, 3));
    result.push({ ratePerSecond, ...turns });
  }
  return result;
}

async function latencies(
  world: World,
  kind: TimedKind,
  open: OpenSender,
  ratePerSecond: number,
): Promise<LatencyFigures> {
  await using place = await newWorkshop(world);
  await using cleanup = new AsyncDisposableStack();
  const subscribers = await Promise.all(
    Object.values(SUBSCRIBER_QUEUES).map((queue) => TimedProcess.start(world, place, kind, queue)),
  );
  for (const subscriber of subscribers) cleanup.use(subscriber);
  await using sender = await open({ amqpUrl: place.amqpUrl, window: 1_000 });
  // What they are compiled by, and then what is looked at.
  await publish(world, sender, ratePerSecond, 1);
  const { events, startMs } = await publish(world, sender, ratePerSecond, world.plan.rateSeconds);
  await place.until(async () => {
    const waiting = await Promise.all(
      Object.values(SUBSCRIBER_QUEUES).map((queue) => place.waitingIn(queue)),
    );
    return waiting.every((count) => count === 0);
  }, world.signal);
  const times = await Promise.all(subscribers.map((subscriber) => subscriber.times()));
  const found = new Latencies();
  events.forEach(({ event_id }, n) => {
    const commits = times.map((of) => of.get(event_id));
    if (commits.includes(undefined)) throw new Error(`An event of ${kind} was never committed`);
    found.record(Math.max(...commits as number[]) - (startMs + n * 1000 / ratePerSecond));
  });
  return { p50: found.at(50), p99: found.at(99), p999: found.at(99.9) };
}

async function publish(
  { signal }: World,
  sender: Awaited<ReturnType<OpenSender>>,
  ratePerSecond: number,
  seconds: number,
) {
  const events = signups(Math.round(ratePerSecond * seconds));
  let startMs = 0;
  await openLoop(async (n) => {
    if (n === 0) startMs = performance.timeOrigin + performance.now();
    await sender.send(events[n]!);
    return true;
  }, { ratePerSecond, count: events.length, signal });
  return { events, startMs };
}
