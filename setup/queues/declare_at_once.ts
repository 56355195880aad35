/** Declares the whole topology so that a publisher sees either none of its queues or all of them. */
import type { Channel } from "amqplib";
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
