/** What every POST of the API must be before it is read, and what all of their answers share. */
import type { Context, MiddlewareHandler, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { problem } from "@ecomarket/shared/http/problem";
import { fingerprint, type IdempotencyKey, isIdempotencyKey } from "./idempotency.ts";

const KEY_HEADER = "Idempotency-Key";

/** Refuses what is not declared as plain JSON. */
export async function requireJson(c: Context, next: Next): Promise<Response | void> {
  const [mediaType] = (c.req.header("Content-Type") ?? "").split(";", 1);
  if (mediaType?.trim().toLowerCase() !== "application/json") {
    return problem(415, "Send JSON in UTF-8, with the header Content-Type: application/json");
  }
  if (c.req.header("Content-Encoding") !== undefined) {
    return problem(415, "Send the body uncompressed, without Content-Encoding");
  }
  return await next();
}

/** Refuses a longer body, unread. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => problem(413, `A body has at most ${maxBytes} bytes`),
  });
}

/** Refuses an `Idempotency-Key` that is none. */
export async function requireUsableKey(c: Context, next: Next): Promise<Response | void> {
  const key = c.req.header(KEY_HEADER);
  if (key !== undefined && !isIdempotencyKey(key)) {
    return problem(400, `An ${KEY_HEADER} has 1 to 255 printable ASCII characters`);
  }
  return await next();
}

/** The key of a request that means `parts`, however its JSON is written; or that it has none. */
export function keyOf(c: Context, ...parts: readonly string[]): IdempotencyKey | undefined {
  const key = c.req.header(KEY_HEADER);
  return key === undefined ? undefined : { key, fingerprint: fingerprint(...parts) };
}

/** The answer to a key that was used for another request. */
export function keyReused(): Response {
  return problem(422, `This ${KEY_HEADER} was used for another request: take a new key`);
}

/** The headers that tell an answer that was given before. */
export function replayHeaders(isReplay: boolean): Record<string, string> {
  return isReplay ? { "Idempotency-Replayed": "true" } : {};
}
