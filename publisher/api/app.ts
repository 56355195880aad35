/**
 * The users API as a Hono app: what each request is answered. No process, no port and no broker in
 * it, so that it can be asked directly.
 */
import { Hono } from "hono";
import { messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { reportResponse } from "@ecomarket/shared/health/health_server";
import { methodNotAllowed, problem } from "@ecomarket/shared/http/problem";
import type { Logger } from "@ecomarket/shared/process/log";
import type { BacklogBounds } from "../outbox/backlog.ts";
import type { RelayStatus } from "../outbox/relay_status.ts";
import type { ApiStore } from "./api_store.ts";
import { addPurchaseRoutes } from "./purchase_routes.ts";
import { readiness } from "./readiness.ts";
import { addUserRoutes } from "./user_routes.ts";

/** What the app stands on. */
export interface AppOptions {
  readonly store: ApiStore;
  readonly relay: { readonly status: RelayStatus };
  readonly bounds: BacklogBounds;
  readonly log: Logger;
}

/**
 * The API:
 *
 * | request              | answers |
 * |----------------------|---------|
 * | `POST /users`        | 201 with `Location` and the user; 400, 409, 413, 415, 422, 503 |
 * | `GET /users/:id`     | 200 with the user; 404, 503 |
 * | `POST /purchases`    | 201 with `Location` and the purchase; as above, 422 also for an unknown user |
 * | `GET /purchases/:id` | 200 with the purchase; 404, 503 |
 * | `GET /healthz`       | 200 while the process answers at all |
 * | `GET /readyz`        | 200 `ready` or `degraded`; 503 while the store cannot be written |
 *
 * A 201 means that the user or the purchase and its event are on the disk, not that the event has
 * left. With an `Idempotency-Key`, the first answer comes again, with `Idempotency-Replayed: true`:
 * a 409 or the 422 of an unknown user as well. All requests share one space of keys.
 */
export function createApp({ store, relay, bounds, log }: AppOptions): Hono {
  const app = new Hono();
  addUserRoutes(app, store.users, log);
  addPurchaseRoutes(app, store.purchases, log);

  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.get("/readyz", async () => reportResponse(await readiness(store, relay.status, bounds)));

  app.all("/healthz", () => methodNotAllowed("GET, HEAD"));
  app.all("/readyz", () => methodNotAllowed("GET, HEAD"));
  app.notFound(() => problem(404, "There is nothing here. Try POST /users or POST /purchases"));

  app.onError((error, c) => {
    if ((error as NodeJS.ErrnoException).code === "ECONNRESET") {
      // n.b. what node:http says of a body whose sender is gone in the middle of it, or was sent away.
      log.debug("{method} {path}: the client is gone", { method: c.req.method, path: c.req.path });
      return problem(400, "The request did not arrive whole");
    }
    if (error instanceof StoreUnavailableError) {
      log.warning("{method} {path}: {reason}", {
        method: c.req.method,
        path: c.req.path,
        reason: error.message,
      });
      return problem(503, "The store cannot be used now: nothing was changed. Try again", {
        headers: { "Retry-After": "1" },
      });
    }
    log.error("{method} {path} failed: {reason}", {
      method: c.req.method,
      path: c.req.path,
      reason: messageOf(error),
      stack: error.stack,
    });
    return problem(500, "Something went wrong here. The log says more");
  });
  return app;
}
