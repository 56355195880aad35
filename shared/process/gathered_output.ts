/**
 * Lines that leave together. A system call for each costs more than to make the line; and what is
 * gathered is what came while the event loop turned once, so nobody who reads along waits for it.
 */
import { writeAllSync } from "./write_all.ts";

/** What is gathered at most, in characters, before it is written. */
const MAX_GATHERED = 64 * 1024;

/** Writes to `target` what was given to it while the event loop turns, in its order. */
export class GatheredOutput {
  readonly #target: { writeSync(bytes: Uint8Array): number };
  #gathered = "";
  #isScheduled = false;

  constructor(target: { writeSync(bytes: Uint8Array): number }) {
    this.#target = target;
    // n.b. `Deno.exit()` runs no more turns.
    globalThis.addEventListener("unload", () => this.flush());
  }

  /** Takes `text`; where it `isUrgent`, it is written at once, and all before it. */
  write(text: string, isUrgent: boolean): void {
    this.#gathered += text;
    if (isUrgent || this.#gathered.length >= MAX_GATHERED) return this.flush();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Writes what is gathered. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#gathered === "") return;
    const text = this.#gathered;
    this.#gathered = "";
    try {
      writeAllSync(this.#target, text);
    } catch {
      // Its reader is gone: what is logged is lost, and the work goes on.
    }
  }
}
