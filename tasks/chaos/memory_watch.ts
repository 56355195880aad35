/** Looks at the memory of every role's process, again and again. */
import pidusage from "pidusage";
import type { MemorySample } from "./memory.ts";

/** A role whose process may be another one at each look, or none. */
export interface WatchedRole {
  readonly name: string;
  /** The process that runs now. @throws {Error} when none does. */
  readonly current: { readonly pid: number };
}

/** How often a run is looked at, and at least how far apart. */
const LOOKS = 240;
const MIN_INTERVAL_MS = 1_000;

/** See the file's first line. Disposing of it ends the watch. */
export class MemoryWatch implements Disposable {
  readonly samples: MemorySample[] = [];
  readonly #roles: readonly WatchedRole[];
  readonly #startedAt = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;

  /** Begins to watch `roles` for a run of about `durationMs`. */
  constructor(roles: readonly WatchedRole[], durationMs: number) {
    this.#roles = roles;
    const intervalMs = Math.max(durationMs / LOOKS, MIN_INTERVAL_MS);
    this.#timer = setInterval(() => void this.#look(), intervalMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const atMs = Math.round(performance.now() - this.#startedAt);
    for (const role of this.#roles) {
      try {
        const { pid } = role.current;
        const { memory } = await pidusage(pid);
        this.samples.push({ role: role.name, pid, atMs, bytes: memory });
      } catch {
        // Its process is gone, as happens in a run like this: the next look finds its successor.
      }
    }
  }
}
