/** Which subscribers rest, as their stores say. */
import { type Pause, PAUSE_OUTDATED_MS, readPause } from "@ecomarket/shared/store/pauses";
import type { DataDirOf } from "./effects.ts";
import { readStore } from "./read_store.ts";

/** What a subscriber does, as far as it can be seen from outside. */
export type SubscriberState =
  | { readonly state: "consuming" | "not running" | "unknown" }
  | ({ readonly state: "paused" | "was paused" } & Pause);

/**
 * What a subscriber does whose queue has so many `consumers` (`undefined` where the broker does not
 * say), and whose store holds this note:
 *
 * | consumers | note                       | state         |
 * | --------- | -------------------------- | ------------- |
 * | some      | any                        | `consuming`   |
 * | others    | renewed a moment ago       | `paused`      |
 * | others    | renewed too long ago       | `was paused`: its process was killed then |
 * | none      | none                       | `not running` |
 * | unknown   | none                       | `unknown`     |
 */
export function subscriberState(
  pause: Pause | undefined,
  consumers: number | undefined,
  now: Date,
): SubscriberState {
  if (consumers !== undefined && consumers > 0) return { state: "consuming" };
  if (!pause) return { state: consumers === undefined ? "unknown" : "not running" };
  const isOutdated = now.getTime() - pause.probedAt.getTime() > PAUSE_OUTDATED_MS;
  return { state: isOutdated ? "was paused" : "paused", ...pause };
}

/** What `subscriber` has noted of its rest, if it does; a killed process leaves its note behind. */
export function pauseOf(subscriber: string, dataDirOf: DataDirOf): Pause | undefined {
  return readStore(dataDirOf(subscriber), readPause);
}
