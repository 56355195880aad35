/** Messages that nobody can handle, published past every check of ours. */
import { Buffer } from "node:buffer";
import { until } from "@ecomarket/shared/base/poll";
import { vhostOf } from "@ecomarket/shared/broker/management";
import { PARKED_QUEUE, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { nestedArrays, UNDECODABLE_DEPTH } from "@ecomarket/testbed/broker/nested_headers";
import { RawAmqp } from "@ecomarket/testbed/broker/raw_amqp";
import type { StoreKind } from "../stores/run_stores.ts";
import type { World } from "../world.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

/** Four lost links a subscriber, then 21 of the archive for each copy. */
const PARKED_WITHIN_MS = 180_000;

/** The client library overflows its stack before any code of ours sees the message. */
async function undecodable(world: World): Promise<FaultOutcome> {
  const subscribers = world.running;
  const before = await parked(world);
  const url = new URL(world.directUrls[0]!);
  url.pathname = encodeURIComponent(vhostOf(url.href));
  using raw = await RawAmqp.connect(url.href);
  const headers = nestedArrays(UNDECODABLE_DEPTH);
  await raw.publish(USER_EVENTS_EXCHANGE, { headers }, Buffer.from("{}"));
  await until(
    "a parked copy for each subscriber",
    async () => await parked(world) >= before + subscribers.length,
    { timeoutMs: PARKED_WITHIN_MS },
  );
  return {
    proof: `a header of ${UNDECODABLE_DEPTH} nested arrays; ${subscribers.length} copies ` +
      `in ${PARKED_QUEUE}`,
    endedAt: performance.now(),
    affected: subscribers,
  };
}

async function parked(world: World): Promise<number> {
  return (await world.queues([PARKED_QUEUE]))[PARKED_QUEUE]?.ready ?? 0;
}

/** The slow start of one instance does not reach to another one. */
function siblingsSuffer(kind: StoreKind): string | undefined {
  if (kind === "sqlite") return undefined;
  return "with two instances, what one had in hand goes to the other's open window, and innocent " +
    "events become dead letters (docs/guarantees.md)";
}

/** Faults of messages. */
export const MESSAGE_FAULTS: readonly Fault[] = [
  {
    name: "undecodable-message",
    description: "a message that the client library cannot decode",
    nodes: 1,
    impossible: siblingsSuffer,
    inject: undecodable,
  },
];
