/** Which subscribers rest, as their stores say. */
import { type Pause, PAUSE_OUTDATED_MS, readPause } from "@ecomarket/shared/store/pauses";
import type { DataDirOf } from "./effects.ts";
import { readStore } from "./read_store.ts";

/** What a subscriber does, as far as it can be seen from outside. */
export type SubscriberState =
  | { readonly state: "consuming" | "not running" }
  | ({ readonly state: "paused" | "was paused" } & Pause);

/**
 * What a subscriber does whose queue has so many `consumers`, and whose store holds this note:
 *
 * | consumers | note                       | state         |
 * | --------- | -------------------------- | ------------- |
 * | some      | any                        | `consuming`   |
 * | none      | renewed a moment ago       | `paused`      |
 * | none      | renewed too long ago       | `was paused`: its process was killed then |
 * | none      | none                       | `not running` |
 */
export function subscriberState(
  pause: Pause | undefined,
  consumers: number,
  now: Date,
): SubscriberState {
  if (consumers > 0) return { state: "consuming" };
  if (!pause) return { state: "not running" };
  const isOutdated = now.getTime() - pause.probedAt.getTime() > PAUSE_OUTDATED_MS;
  return { state: isOutdated ? "was paused" : "paused", ...pause };
}

/** What `subscriber` has noted of its rest, if it does; a killed process leaves its note behind. */
export function pauseOf(subscriber: string, dataDirOf: DataDirOf): Pause | undefined {
  return readStore(dataDirOf(subscriber), readPause);
}
