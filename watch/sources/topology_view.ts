/** What stands on the broker beside what is wanted, item by item. It looks at nothing itself. */
import {
  differenceText,
  diffTopology,
  otherSubscribers,
} from "@ecomarket/setup/queues/topology_diff";
import { EVENT_EXCHANGES, type Topology, WATCH_QUEUE } from "@ecomarket/shared/contract/topology";
import type { Standing, TopologyView } from "../view/view.ts";
import type { BrokerLook } from "./broker_look.ts";

const NOTHING: Topology = { exchanges: [], queues: [], bindings: [] };

/** `wanted` as it stands at `look`; without one, nothing is known of it. */
export function topologyView(wanted: Topology, look: BrokerLook | undefined): TopologyView {
  const stateOf = (part: Partial<Topology>): Standing["state"] => {
    if (!look) return "unknown";
    const [difference] = diffTopology({ ...NOTHING, ...part }, look.standing);
    if (difference === undefined) return "stands";
    return difference.kind === "missing" ? "missing" : "differs";
  };
  return {
    exchanges: wanted.exchanges.map((exchange) => ({
      name: exchange.name,
      state: stateOf({ exchanges: [exchange] }),
    })),
    queues: wanted.queues.map((queue) => ({
      name: queue.name,
      state: stateOf({ queues: [queue] }),
    })),
    bindings: wanted.bindings.filter(({ exchange }) => EVENT_EXCHANGES.includes(exchange))
      .map((binding) => ({
        exchange: binding.exchange,
        queue: binding.queue,
        // n.b. a binding has no arguments of ours in which it could differ.
        state: stateOf({ bindings: [binding] }) as "stands" | "missing" | "unknown",
      })),
    others: look ? others(wanted, look) : [],
    differences: look ? diffTopology(wanted, look.standing).map(differenceText) : [],
  };
}

/** Further subscribers. n.b. our own queue is one of them, and nobody's concern. */
function others(wanted: Topology, { standing, further }: BrokerLook): TopologyView["others"] {
  return otherSubscribers(wanted, standing)
    .filter((name) => !name.startsWith(`${WATCH_QUEUE}.`))
    .map((name) => ({
      name,
      exchange: standing.bindings.find(({ destination }) => destination === name)!.source,
      ...further.get(name) ?? { ready: 0, consumers: 0 },
    }));
}
