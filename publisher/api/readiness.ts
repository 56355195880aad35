/** What `GET /readyz` tells a load balancer, and the person who asks why. */
import { messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { type Backlog, type BacklogBounds, isWithinBounds } from "../outbox/backlog.ts";
import type { RelayStatus } from "../outbox/relay_status.ts";
import type { ApiStore } from "./api_store.ts";

/** See {@link readiness}. */
export interface Readiness {
  readonly status: "ready" | "degraded" | "unavailable";
  readonly store: { readonly writable: true } | {
    readonly writable: false;
    readonly problem: string;
  };
  readonly relay: RelayStatus;
  /** Absent while the store cannot be used. */
  readonly backlog?: Backlog & BacklogBounds & { readonly withinBounds: boolean };
}

/**
 * How the API is, after a real write to its store.
 *
 * - `unavailable`: the store cannot be written, so nothing can be recorded here.
 * - `degraded`: requests are answered, and their events wait. It must stay in the load balancer:
 *   answering while the broker is away is what the outbox is for.
 * - `ready`: anything else.
 */
export async function readiness(
  store: Pick<ApiStore, "checkWritable" | "outbox">,
  relay: RelayStatus,
  bounds: BacklogBounds,
): Promise<Readiness> {
  try {
    await store.checkWritable();
    const { maxEvents, maxAgeMs } = bounds;
    const backlog = await store.outbox.backlog(new Date());
    const withinBounds = isWithinBounds(backlog, bounds);
    return {
      status: relay.state === "connected" && withinBounds ? "ready" : "degraded",
      store: { writable: true },
      relay,
      backlog: { ...backlog, maxEvents, maxAgeMs, withinBounds },
    };
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return {
      status: "unavailable",
      store: { writable: false, problem: messageOf(error) },
      relay,
    };
  }
}
