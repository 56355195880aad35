/**
 * What the users API tells on `HEALTH_PORT`, beside its own port: figures are for whoever runs it.
 * n.b. loaded only where that is set.
 */
import { Gauge, Registry } from "prom-client";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import type { HealthSource } from "@ecomarket/shared/health/health_server";
import type { Backlog } from "../outbox/backlog.ts";
import type { AppOptions } from "./app.ts";
import { readiness } from "./readiness.ts";

/** The same readiness as on its own port, and the metrics of the outbox. */
export function apiHealth({ store, relay, bounds, log }: AppOptions): HealthSource {
  return {
    readiness: () => readiness(store, relay.status, bounds),
    metrics: apiMetrics({ store, relay }),
    log,
  };
}

/** What waits in the outbox, and whether it can leave: looked up when somebody asks. */
export function apiMetrics(
  { store: { outbox }, relay }: Pick<AppOptions, "store" | "relay">,
): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await value());
      },
    });
  const waiting = (figure: (backlog: Backlog) => number) => async () => {
    try {
      return figure(await outbox.backlog(new Date()));
    } catch (error) {
      if (error instanceof StoreUnavailableError) return NaN; // Not known: no figure is better.
      throw error;
    }
  };
  gauge(
    "ecomarket_outbox_events",
    "Events that wait to be published; NaN while the store cannot tell",
    waiting(({ events }) => events),
  );
  gauge(
    "ecomarket_outbox_age_seconds",
    "How long the first of them has waited; 0 where nothing waits",
    waiting(({ oldestAgeMs }) => oldestAgeMs / 1_000),
  );
  gauge(
    "ecomarket_relay_connected",
    "Whether every lane of the relay has its broker: 1 or 0",
    () => Number(relay.status.state === "connected"),
  );
  return registry;
}
