/** Declares the whole topology so that a publisher sees either none of its queues or all of them. */
import type { Channel } from "amqplib";
import {
  type BindingSpec,
  declareLink,
  declareTopology,
  EVENT_EXCHANGES,
  type LinkSpec,
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
  const { bindings, links = [] } = topology;
  const isOfEvents = (source: string) => EVENT_EXCHANGES.includes(source);
  await declareTopology(channel, {
    ...topology,
    bindings: bindings.filter(({ exchange }) => !isOfEvents(exchange)),
    links: links.filter(({ from }) => !isOfEvents(from)),
  });
  for (const exchange of EVENT_EXCHANGES) {
    await joinAtOnce(
      channel,
      exchange,
      bindings.filter((binding) => binding.exchange === exchange),
      links.filter(({ from }) => from === exchange),
    );
  }
}

async function joinAtOnce(
  channel: Channel,
  exchange: string,
  bindings: readonly BindingSpec[],
  links: readonly LinkSpec[],
): Promise<void> {
  const joining = setupExchange(exchange);
  await channel.assertExchange(joining, "fanout", { durable: true });
  for (const { queue } of bindings) await channel.bindQueue(queue, joining, "");
  for (const { to } of links) await channel.bindExchange(to, joining, "");
  await channel.bindExchange(joining, exchange, "");
  for (const { queue, routingKey } of bindings) {
    await channel.bindQueue(queue, exchange, routingKey);
  }
  for (const link of links) await declareLink(channel, link);
  await channel.deleteExchange(joining);
}
