/** Mending a body: a patch is merged into it as RFC 7396 (JSON Merge Patch) says. */
import { messageOf, UsageError } from "@ecomarket/shared/base/errors";
import { parseJson } from "@ecomarket/shared/base/json";
import type { Body } from "@ecomarket/shared/contract/message";

/**
 * `body` with `patch` in it: an object is merged into an object, `null` takes a field away, everything
 * else takes the place of what is there. Neither of the two is changed.
 */
export function mergePatch(body: Body, patch: Body): Body {
  const merged = new Map(Object.entries(body));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else if (isObject(value)) {
      const there = merged.get(name);
      merged.set(name, mergePatch(isObject(there) ? there : {}, value));
    } else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

/**
 * The patch that `--patch` was given.
 *
 * @throws {UsageError} when it is no JSON object, is nested too deeply, is empty, or sets the event's id.
 */
export function parsePatch(text: string): Body {
  let patch: unknown;
  try {
    patch = parseJson(text);
  } catch (error) {
    throw new UsageError(
      `--patch must be a JSON object such as '{"email":"juan@example.com"}': ${messageOf(error)}`,
    );
  }
  if (!isObject(patch) || Object.keys(patch).length === 0) {
    throw new UsageError(
      `--patch must be a JSON object such as '{"email":"juan@example.com"}', got ${text}`,
    );
  }
  if ("event_id" in patch) {
    throw new UsageError("--patch cannot set event_id: --new-id makes a new event of it");
  }
  return patch;
}

function isObject(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
