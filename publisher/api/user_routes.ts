/** What `/users` is answered. */
import type { Hono } from "hono";
import { jsonAnswer } from "@ecomarket/shared/http/json_answer";
import { methodNotAllowed, problem } from "@ecomarket/shared/http/problem";
import type { Logger } from "@ecomarket/shared/process/log";
import {
  keyOf,
  keyReused,
  limitBody,
  replayHeaders,
  requireJson,
  requireUsableKey,
} from "./post_request.ts";
import type { RequestResult } from "./recorder.ts";
import { userRequest } from "./user_request.ts";
import type { Registration, Users } from "./users.ts";

/** A longer body is refused unread. A user needs a few hundred bytes. */
export const MAX_USER_BYTES = 16 * 1024;

/** Adds the routes of `users` to `app`. */
export function addUserRoutes(app: Hono, users: Users, log: Logger): void {
  app.post("/users", requireJson, limitBody(MAX_USER_BYTES), requireUsableKey, async (c) => {
    const request = userRequest(new Uint8Array(await c.req.arrayBuffer()));
    if (!("user" in request)) return problem(400, request.detail, { errors: request.errors });
    const { nombre, email } = request.user;
    // n.b. without the route's name, as in keys that are kept from before there was another route.
    const result = await users.register(request.user, keyOf(c, nombre, email));
    if (result.kind === "done" && result.outcome.kind === "created" && !result.isReplay) {
      const { nombre, email, event_id } = result.outcome.user;
      log.info("Registered {nombre} <{email}>", { nombre, email, event_id });
    }
    return answer(result);
  });

  app.get("/users/:id", (c) => {
    const user = users.find(c.req.param("id"));
    return user ? jsonAnswer(user) : problem(404, "There is no user with this id");
  });

  app.all("/users", () => methodNotAllowed("POST"));
  app.all("/users/:id", () => methodNotAllowed("GET, HEAD"));
}

function answer(result: RequestResult<Registration>): Response {
  if (result.kind === "key-reused") return keyReused();
  const { outcome, isReplay } = result;
  const headers = replayHeaders(isReplay);
  if (outcome.kind === "email-taken") {
    return problem(409, "A user with this email is registered already", { headers });
  }
  const { user } = outcome;
  return jsonAnswer(user, 201, { Location: `/users/${user.user_id}`, ...headers });
}
