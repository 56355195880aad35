/**
 * The users API as a Hono app: what each request is answered. No process, no port and no broker in
 * it, so that it can be asked directly.
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import type { Logger } from "@ecomarket/shared/process/log";
import type { BacklogBounds } from "../outbox/backlog.ts";
import type { RelayStatus } from "../outbox/relay.ts";
import { fingerprint, type IdempotencyKey, isIdempotencyKey } from "./idempotency.ts";
import { problem } from "./problem.ts";
import { readiness } from "./readiness.ts";
import { userRequest } from "./user_request.ts";
import type { RegisterResult, UsersStore } from "./users_store.ts";

/** A longer body is refused unread. A user needs a few hundred bytes. */
export const MAX_REQUEST_BYTES = 16 * 1024;

/** What the app stands on. */
export interface UsersAppOptions {
  readonly users: UsersStore;
  readonly relay: { readonly status: RelayStatus };
  readonly bounds: BacklogBounds;
  readonly log: Logger;
}

/**
 * The API:
 *
 * | request           | answers |
 * |-------------------|---------|
 * | `POST /users`     | 201 with `Location` and the user; 400, 409, 413, 415, 422, 503 |
 * | `GET /users/:id`  | 200 with the user; 404, 503 |
 * | `GET /healthz`    | 200 while the process answers at all |
 * | `GET /readyz`     | 200 `ready` or `degraded`; 503 while the store cannot be written |
 *
 * A 201 means that the user and its event are on the disk, not that the event has left. With an
 * `Idempotency-Key`, the first answer comes again, with `Idempotency-Replayed: true`.
 */
export function createUsersApp({ users, relay, bounds, log }: UsersAppOptions): Hono {
  const app = new Hono();

  app.post("/users", requireJson, limitBody, async (c) => {
    const key = c.req.header("Idempotency-Key");
    if (key !== undefined && !isIdempotencyKey(key)) {
      return problem(400, "An Idempotency-Key has 1 to 255 printable ASCII characters");
    }
    const request = userRequest(new Uint8Array(await c.req.arrayBuffer()));
    if (!("user" in request)) return problem(400, request.detail, { errors: request.errors });
    const result = await users.register(request.user, keyOf(key, request.user));
    if (result.kind === "done" && result.registration.kind === "created" && !result.isReplay) {
      const { nombre, email, event_id } = result.registration.user;
      log.info("Registered {nombre} <{email}>", { nombre, email, event_id });
    }
    return answer(c, result);
  });

  app.get("/users/:id", (c) => {
    const user = users.find(c.req.param("id"));
    return user ? c.json(user) : problem(404, "There is no user with this id");
  });

  app.get("/healthz", (c) => c.json({ status: "ok" }));

  app.get("/readyz", async (c) => {
    const report = await readiness(users, relay.status, bounds);
    return c.json(report, report.status === "unavailable" ? 503 : 200, NO_STORE);
  });

  app.all("/users", () => methodNotAllowed("POST"));
  app.all("/users/:id", () => methodNotAllowed("GET, HEAD"));
  app.all("/healthz", () => methodNotAllowed("GET, HEAD"));
  app.all("/readyz", () => methodNotAllowed("GET, HEAD"));
  app.notFound(() => problem(404, "There is nothing here. Try POST /users"));

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

const NO_STORE = { "Cache-Control": "no-store" };

/** A request means the same when it registers the same user, however its JSON is written. */
function keyOf(
  key: string | undefined,
  { nombre, email }: { readonly nombre: string; readonly email: string },
): IdempotencyKey | undefined {
  return key === undefined ? undefined : { key, fingerprint: fingerprint(nombre, email) };
}

function answer(c: Context, result: RegisterResult): Response {
  if (result.kind === "key-reused") {
    return problem(422, "This Idempotency-Key was used for another user: take a new key");
  }
  const { registration, isReplay } = result;
  const replayed = isReplay ? { "Idempotency-Replayed": "true" } : {};
  if (registration.kind === "email-taken") {
    return problem(409, "A user with this email is registered already", { headers: replayed });
  }
  const { user } = registration;
  return c.json(user, 201, { Location: `/users/${user.user_id}`, ...replayed });
}

function methodNotAllowed(allowed: string): Response {
  return problem(405, `Only ${allowed} is understood here`, { headers: { Allow: allowed } });
}

const requireJson: MiddlewareHandler = async (c, next) => {
  const [mediaType] = (c.req.header("Content-Type") ?? "").split(";", 1);
  if (mediaType?.trim().toLowerCase() !== "application/json") {
    return problem(415, "Send JSON in UTF-8, with the header Content-Type: application/json");
  }
  if (c.req.header("Content-Encoding") !== undefined) {
    return problem(415, "Send the body uncompressed, without Content-Encoding");
  }
  return await next();
};

const limitBody = bodyLimit({
  maxSize: MAX_REQUEST_BYTES,
  onError: () => problem(413, `A body has at most ${MAX_REQUEST_BYTES} bytes`),
});
