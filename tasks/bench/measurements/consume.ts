/** Measurements 2 and 3: how many waiting events a second one subscriber settles, with and without a store. */
import { DEFAULT_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { subscriberSlice, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { signups } from "@ecomarket/testbed/events/signups";
import { inTurns } from "../spread.ts";
import { drainWithAcks, drainWithGroups, drainWithTransactions } from "../subscribers/by_hand.ts";
import type { Drain } from "../subscribers/drain.ts";
import { drainWithLoop, drainWithLoopAndStore } from "../subscribers/loop.ts";
import type { Place, World } from "../world.ts";

/** The queue that is drained. */
const QUEUE = "bench_queue";
/** `PREFETCH` by default: see `docs/reference.md`. */
const PREFETCH = 100;

/** Settled events a second, turn by turn. */
export interface ConsumeResult {
  readonly loop: readonly number[];
  readonly amqplib: readonly number[];
}

/** Effects a second that are committed with their inbox rows, turn by turn. */
export interface EffectsResult {
  readonly loop: readonly number[];
  readonly transactionPerEvent: readonly number[];
  readonly handWrittenGroups: readonly number[];
}

/** Acks alone: an effect of nothing, and no store. */
export async function measureConsume(world: World): Promise<ConsumeResult> {
  const { plan: { acked, runs }, say } = world;
  say("consume: acks alone …");
  await using place = await newPlace(world);
  const turn = (drain: Drain) => () => drained(world, place, drain, acked);
  await turn(drainWithLoop)(); // The first one warms up both: they share amqplib and its code.
  await turn(drainWithAcks)();
  return await inTurns({ loop: turn(drainWithLoop), amqplib: turn(drainWithAcks) }, runs);
}

/** The effect and the inbox row of each event in SQLite, on the disk before the ack. */
export async function measureEffects(world: World): Promise<EffectsResult> {
  const { plan: { effects, slowEffects, runs }, say } = world;
  say("effects: exactly once, in SQLite …");
  await using place = await newPlace(world);
  const turn = (drain: Drain, count: number) => () => drained(world, place, drain, count);
  await turn(drainWithLoopAndStore, effects)();
  await turn(drainWithGroups, effects)();
  return await inTurns({
    loop: turn(drainWithLoopAndStore, effects),
    transactionPerEvent: turn(drainWithTransactions, slowEffects),
    handWrittenGroups: turn(drainWithGroups, effects),
  }, runs);
}

function newPlace(world: World): Promise<Place> {
  const subscription = { queue: QUEUE, exchanges: [USER_EVENTS_EXCHANGE] };
  return world.newPlace(subscriberSlice(subscription, DEFAULT_RETRY_DELAYS_MS));
}

/** Fills the queue, and drains it with `drain`. */
async function drained(world: World, place: Place, drain: Drain, count: number): Promise<number> {
  await place.fill(signups(count).values());
  const rate = await drain({
    amqpUrl: place.amqpUrl,
    queue: QUEUE,
    count,
    prefetch: PREFETCH,
    folder: await world.newFolder("store"),
    signal: world.signal,
  });
  // n.b. RabbitMQ forgets acks that its channel has not passed on when it is closed (seen on 3.10.8): their messages
  // come again, at most those that one consumer may have in hand.
  const left = await place.waitingIn(QUEUE);
  if (left > PREFETCH) throw new Error(`${left} of ${count} events came back: nothing is measured`);
  await place.empty();
  return rate;
}
