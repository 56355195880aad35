/**
 * `POST /users` as the three baselines serve it: the same validation and the same answer as the
 * users API, and the same durable table of users. What differs is how the event is passed on.
 */
import { Hono } from "hono";
import { userRequest } from "@ecomarket/publisher/api/user_request";
import { EcoMarketError, messageOf } from "@ecomarket/shared/base/errors";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { problem } from "@ecomarket/shared/http/problem";
import type { Migrations } from "@ecomarket/shared/store/sqlite";
import type { Store } from "@ecomarket/shared/store/store";

/** Whoever wants to know of a signup, as the publisher of a baseline knows them. */
export interface Subscribers extends AsyncDisposable {
  isReady(): boolean;
  /** @throws {NotPassedOnError} when one of them cannot be told. */
  passOn(event: UsuarioCreado): Promise<void>;
}

/** A subscriber could not be told of a signup. */
export class NotPassedOnError extends EcoMarketError {
  override readonly code = "NOT_PASSED_ON";
}

/** The table of users. */
export const USERS: Migrations = [
  `CREATE TABLE users (
     user_id TEXT PRIMARY KEY, nombre TEXT NOT NULL, email TEXT NOT NULL, created_at TEXT NOT NULL
   ) STRICT`,
];

/**
 * The routes `POST /users` and `GET /readyz`.
 *
 * n.b. the subscribers are told before the user is stored, so that a signup that fails leaves no
 * user. The other order leaves users that nobody was told of. Without an outbox one of the two is
 * wrong whenever something fails in between.
 */
export function signupApp(subscribers: Subscribers, store: Store): Hono {
  const app = new Hono();
  app.get("/readyz", (c) => c.body(null, subscribers.isReady() ? 200 : 503));
  app.post("/users", async (c) => {
    const request = userRequest(new Uint8Array(await c.req.arrayBuffer()));
    if (!("user" in request)) return problem(400, request.detail, { errors: request.errors });
    const event = createUsuarioCreado(request.user);
    const { user_id, nombre, email, timestamp: created_at, event_id } = event;
    try {
      await subscribers.passOn(event);
    } catch (error) {
      if (!(error instanceof NotPassedOnError)) throw error;
      return c.json({ title: "Bad Gateway", status: 502, detail: error.message }, 502, {
        "Content-Type": "application/problem+json",
      });
    }
    await store.commit(event_id, [
      {
        sql: "INSERT INTO users VALUES (?, ?, ?, ?)",
        params: [user_id, nombre, email, created_at],
      },
    ]);
    return c.json({ user_id, nombre, email, created_at, event_id }, 201, {
      Location: `/users/${user_id}`,
    });
  });
  app.onError((error) => problem(500, messageOf(error)));
  return app;
}
