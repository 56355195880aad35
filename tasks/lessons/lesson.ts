/** What a lesson is. */
import type { Harm, Sides } from "./account.ts";
import type { Stage } from "./stage/stage.ts";

/** One experiment: a way that does harm, and the mended way under the same fault. */
export interface Lesson {
  readonly name: string;
  /** One line for the list. */
  readonly summary: string;
  /** The two ways, in a word or two. */
  readonly before: string;
  readonly after: string;
  readonly harm: Harm;
  /** One or two sentences, in lines: why the first way does harm and the second does not. */
  readonly why: string;
  run(stage: Stage): Promise<Sides>;
}
