/** Declares the whole topology so that a publisher sees either none of its queues or all of them. */
import type { Channel } from "amqplib";
import { tryAgain } from "@ecomarket/shared/base/backoff";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
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
