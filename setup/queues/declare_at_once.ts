/** Declares the whole topology so that a publisher sees either none of its queues or all of them. */
import type { Channel } from "amqplib";
import { tryAgain } from "@ecomarket/shared/base/backoff";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import {
  type BindingSpec,
  declareTopology,
  EVENT_EXCHANGES,
  setupExchange,
  type Topology,
} from "@ecomarket/shared/contract/topology";

/**
 * Declares `topology`. Its queues are joined to an event by one binding, through an exchange that
 * goes again once each has its own: so no event is ever routed to some of them only. n.b. a queue to
 * which several bindings lead gets a message once.
 *
 * Killed in between, the next run finishes it; what stands until then delivers as well.
 *
 * @throws {TopologyDriftError} as {@link declareTopology}, before any queue is joined.
 */
export async function declareAtOnce(channel: Channel, topology: Topology): Promise<void> {
  const isOfEvents = ({ exchange }: BindingSpec) => EVENT_EXCHANGES.includes(exchange);
  const others = topology.bindings.filter((binding) => !isOfEvents(binding));
  await declareTopology(channel, { ...topology, bindings: others });
  for (const exchange of EVENT_EXCHANGES) {
    const bindings = topology.bindings.filter((binding) => binding.exchange === exchange);
    await joinAtOnce(channel, exchange, bindings);
  }
}

/** How long it is tried again while others declare, in milliseconds: each takes a moment. */
const OTHERS_PATIENCE_MS = 10_000;

/**
 * As {@link declareAtOnce}, on the first broker of `urls` that answers, beside others that do the same.
 *
 * n.b. who is done takes the exchange away by which another joins its queues at that moment. The broker
 * answers that one with a 404, or ends its connection with an internal error (seen on 4.3.6).
 */
export async function declareAmongOthers(
  urls: readonly string[],
  topology: Topology,
): Promise<void> {
  const lastTry = performance.now() + OTHERS_PATIENCE_MS;
  await tryAgain(() => declareOnce(urls, topology), {
    isWorthIt: (error) =>
      [404, 541].includes((error as { code: number }).code) && performance.now() < lastTry,
  });
}

async function declareOnce(urls: readonly string[], topology: Topology): Promise<void> {
  await withConnection(urls, "setup-queues", async (connection) => {
    // n.b. what ends the connection is not in the error of the call that waits for its answer.
    let end: unknown;
    connection.on("error", (error) => end = error);
    const channel = await connection.createChannel();
    channel.on("error", () => {}); // The call that caused it rejects with it.
    await declareAtOnce(channel, topology).catch((error) => {
      throw end ?? error;
    });
  });
}

async function joinAtOnce(
  channel: Channel,
  exchange: string,
  bindings: readonly BindingSpec[],
): Promise<void> {
  const joining = setupExchange(exchange);
  await channel.assertExchange(joining, "fanout", { durable: true });
  for (const { queue } of bindings) await channel.bindQueue(queue, joining, "");
  await channel.bindExchange(joining, exchange, "");
  for (const { queue, routingKey } of bindings) {
    await channel.bindQueue(queue, exchange, routingKey);
  }
  await channel.deleteExchange(joining);
}
