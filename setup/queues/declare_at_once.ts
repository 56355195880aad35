/** Declares the whole topology so that a publisher sees either none of its queues or all of them. */
import type { Channel } from "amqplib";
import {
  declareTopology,
  EVENTS_EXCHANGE,
  SETUP_EXCHANGE,
  type Topology,
} from "@ecomarket/shared/contract/topology";

/**
 * Declares `topology`. Its queues are joined to the events by one binding, through an exchange that
 * goes again once each has its own: so no event is ever routed to some of them only. n.b. a queue to
 * which several bindings lead gets a message once.
 *
 * Killed in between, the next run finishes it; what stands until then delivers as well.
 *
 * @throws {TopologyDriftError} as {@link declareTopology}, before any queue is joined.
 */
export async function declareAtOnce(channel: Channel, topology: Topology): Promise<void> {
  const isOfEvents = ({ exchange }: { exchange: string }) => exchange === EVENTS_EXCHANGE;
  const ofEvents = topology.bindings.filter(isOfEvents);
  const others = topology.bindings.filter((binding) => !isOfEvents(binding));
  await declareTopology(channel, { ...topology, bindings: others });
  await channel.assertExchange(SETUP_EXCHANGE, "fanout", { durable: true });
  for (const { queue } of ofEvents) await channel.bindQueue(queue, SETUP_EXCHANGE, "");
  await channel.bindExchange(SETUP_EXCHANGE, EVENTS_EXCHANGE, "");
  for (const { queue, routingKey } of ofEvents) {
    await channel.bindQueue(queue, EVENTS_EXCHANGE, routingKey);
  }
  await channel.deleteExchange(SETUP_EXCHANGE);
}
