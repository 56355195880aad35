/** Measurement 1: how many events a second are confirmed, by whom, and with how many under way. */
import { fullTopology } from "@ecomarket/shared/contract/topology";
import { signups } from "@ecomarket/testbed/events/signups";
import { openConnectionManager } from "../publishers/connection_manager.ts";
import { openPlainAmqplib } from "../publishers/plain_amqplib.ts";
import { openRabbitmqClient } from "../publishers/rabbitmq_client.ts";
import { openRascal } from "../publishers/rascal.ts";
import { openRobust } from "../publishers/robust.ts";
import { type OpenSender, sendAll } from "../publishers/sender.ts";
import { findPika, workshopRate } from "../publishers/workshop.ts";
import { inTurns } from "../spread.ts";
import type { Place, World } from "../world.ts";

/** What is measured against what. */
export const SENDERS = {
  ours: openRobust,
  amqplib: openPlainAmqplib,
  connectionManager: openConnectionManager,
  rabbitmqClient: openRabbitmqClient,
  rascal: openRascal,
} satisfies Record<string, OpenSender>;

/** One of them. */
export type SenderName = keyof typeof SENDERS;

/** Those that reconnect and send again by themselves, as ours does. Plain amqplib does neither. */
export const SAME_GUARANTEES: readonly SenderName[] = [
  "connectionManager",
  "rabbitmqClient",
  "rascal",
];

/** Confirmed events a second, turn by turn. */
export interface PublishResult {
  readonly byWindow: readonly {
    readonly window: number;
    readonly perSecond: Readonly<Record<SenderName, readonly number[]>>;
  }[];
  /** Events a second of the workshop's publisher; absent where `python3-pika` is not installed. */
  readonly workshop?: readonly number[];
}

/** Into three quorum queues, as the roles use them. */
export async function measurePublish(world: World): Promise<PublishResult> {
  const { plan, say } = world;
  await using place = await world.newPlace(fullTopology([5_000]));
  const byWindow: PublishResult["byWindow"][number][] = [];
  for (const window of plan.windows) {
    say(`publish: ${window} under way at once …`);
    const perSecond = await inTurns(
      contestants((open) => publishRate(world, place, open, window)),
      plan.runs,
    );
    byWindow.push({ window, perSecond });
  }
  const python = await findPika();
  if (python === undefined) return { byWindow };
  say("publish: the workshop's connection for each event …");
  const { workshop } = await inTurns({
    workshop: () => workshopRate(python, place.amqpUrl, plan.publishMs),
  }, plan.runs);
  return { byWindow, workshop };
}

function contestants(
  rate: (open: OpenSender) => Promise<number>,
): Record<SenderName, () => Promise<number>> {
  return {
    ours: () => rate(SENDERS.ours),
    amqplib: () => rate(SENDERS.amqplib),
    connectionManager: () => rate(SENDERS.connectionManager),
    rabbitmqClient: () => rate(SENDERS.rabbitmqClient),
    rascal: () => rate(SENDERS.rascal),
  };
}

/**
 * Confirmed events a second. n.b. the same events for everybody, made before: to make them is no part of publishing them.
 */
export async function publishRate(
  { plan, signal }: World,
  place: Place,
  open: OpenSender,
  window: number,
): Promise<number> {
  await using sender = await open({ amqpUrl: place.amqpUrl, window });
  const events = signups(1_000);
  const load = (ms: number) => {
    const end = performance.now() + ms;
    let n = 0;
    return () => {
      signal.throwIfAborted();
      return performance.now() < end ? events[n++ % events.length] : undefined;
    };
  };
  await sendAll(sender, load(plan.publishMs / 4), window); // What it is compiled and grown by.
  const start = performance.now();
  const confirmed = await sendAll(sender, load(plan.publishMs), window);
  const rate = confirmed / (performance.now() - start) * 1000;
  await place.empty();
  return rate;
}
