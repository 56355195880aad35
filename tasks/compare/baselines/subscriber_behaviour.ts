/** How a subscriber of a comparison behaves, whichever way it is told: slow, failing, counted. */
import { setTimeout as delay } from "node:timers/promises";
import { wholeNumber } from "@ecomarket/shared/process/args";
import type { Migrations } from "@ecomarket/shared/store/sqlite";
import type { Effect } from "@ecomarket/shared/store/store";

/** What the environment says of a subscriber. */
export interface Behaviour {
  /** Its name and its data folder's, from `SUBSCRIBER`. */
  readonly name: string;
  /** How long each event takes, from `LATENCY_MS`. @default 200 */
  readonly latencyMs: number;
  /** It fails once in so many events, from `FAIL_EVERY`. @default never */
  readonly failEvery: number;
}

const NEVER = Number.MAX_SAFE_INTEGER;

/** @throws {UsageError} when a variable is malformed. */
export function behaviourFromEnvironment(): Behaviour {
  const { env } = Deno;
  return {
    name: env.get("SUBSCRIBER") || "email",
    latencyMs: wholeNumber("LATENCY_MS", env.get("LATENCY_MS") || undefined, 200),
    failEvery: wholeNumber("FAIL_EVERY", env.get("FAIL_EVERY") || undefined, NEVER, { min: 1 }),
  };
}

/** The table of effects. n.b. event_id is not unique: a double effect must be able to show. */
export const SIGNUPS: Migrations = [
  "CREATE TABLE signups (event_id TEXT NOT NULL, email TEXT NOT NULL) STRICT",
  "CREATE INDEX signups_email ON signups (email)",
];

/** The effect of one signup. */
export function signupEffect(event_id: string, email: string): Effect {
  return [{ sql: "INSERT INTO signups VALUES (?, ?)", params: [event_id, email] }];
}

/** The work of a subscriber: it takes its time, and fails when it is its turn. */
export function work({ latencyMs, failEvery }: Behaviour): (signal: AbortSignal) => Promise<void> {
  let turns = 0;
  return async (signal) => {
    const fails = ++turns % failEvery === 0;
    await delay(latencyMs, undefined, { signal });
    if (fails) throw new Error(`Failing on purpose, as once in ${failEvery}`);
  };
}
