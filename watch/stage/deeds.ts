/** What the buttons did: each press with its command, and what came of it. */
import { messageOf } from "@ecomarket/shared/base/errors";
import type { Deed } from "../view/view.ts";

/** Deeds that are remembered. */
const REMEMBERED = 12;
/** Characters of an output that are shown: its end. */
const OUTPUT_SHOWN = 600;

/** The last deeds. */
export class Deeds {
  #deeds: Deed[] = [];
  #count = 0;

  /** The newest first. */
  get all(): readonly Deed[] {
    return this.#deeds;
  }

  /** Does `work`, which resolves with what it has to say; what it throws makes the deed a failed one. */
  async run(command: string, work: () => Promise<string>): Promise<Deed> {
    const begun: Deed = { n: ++this.#count, at: Date.now(), command, state: "running", output: "" };
    this.#deeds = [begun, ...this.#deeds].slice(0, REMEMBERED);
    const ended = await work().then(
      (output): Deed => ({ ...begun, state: "done", output: output.slice(-OUTPUT_SHOWN) }),
      (error: unknown): Deed => ({
        ...begun,
        state: "failed",
        output: messageOf(error).slice(-OUTPUT_SHOWN),
      }),
    );
    this.#deeds = this.#deeds.map((deed) => deed.n === ended.n ? ended : deed);
    return ended;
  }
}
