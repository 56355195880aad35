/**
 * The workshop's topology as it was drawn first: a classic durable queue. It keeps nothing of a
 * transient message over a restart, and knows no delivery limit; this project's quorum queues do both.
 */
import { type Topology, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { QUEUE } from "./side.ts";

export const CLASSIC_QUEUE: Topology = {
  exchanges: [{ name: USER_EVENTS_EXCHANGE, type: "fanout" }],
  queues: [{ name: QUEUE, arguments: { "x-queue-type": "classic" } }],
  bindings: [{ exchange: USER_EVENTS_EXCHANGE, queue: QUEUE, routingKey: "" }],
};
