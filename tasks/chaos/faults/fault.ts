/** What a fault is, and what it owes: a proof that it really happened. */
import type { ConsumerName } from "@ecomarket/testbed/processes/roles";
import type { StoreKind } from "../stores/run_stores.ts";
import type { World } from "../world.ts";

/** What a fault has to show for itself. */
export interface FaultOutcome {
  /** What proves that it happened, for a person to read: a pid gone, a count, an answer. */
  readonly proof: string;
  /** When it was over, in `performance.now()` milliseconds: recovery counts from here. */
  readonly endedAt: number;
  /** Whose next effect shows that it is overcome; none where nothing had to recover. */
  readonly affected: readonly ConsumerName[];
}

/** Something that goes wrong, on purpose. */
export interface Fault {
  readonly name: string;
  /** In words, for the receipt. */
  readonly description: string;
  /** How many nodes the broker must have. */
  readonly nodes: 1 | 3;
  /** Which stores it is made for. @default any */
  readonly store?: StoreKind;
  /** The subscriber without which it cannot be: not before that one runs. */
  readonly needs?: ConsumerName;
  /** Why it cannot be done on this machine, or with these stores, or nothing. */
  readonly impossible?: (kind: StoreKind) => string | undefined;
  /**
   * Makes it happen, and ends it.
   *
   * @throws {Error} when it cannot be proven that it happened.
   */
  readonly inject: (world: World) => Promise<FaultOutcome>;
}

/** How often a fault that has to hit a moment may try. */
const TRIES = 20;

/**
 * `attempt` until it returns a proof.
 *
 * @throws {Error} when it has not after twenty tries.
 */
export async function provoke(
  what: string,
  attempt: () => Promise<string | undefined>,
): Promise<string> {
  for (let n = 1; n <= TRIES; n++) {
    const proof = await attempt();
    if (proof !== undefined) return n === 1 ? proof : `${proof} (at try ${n})`;
  }
  throw new Error(`${what} did not happen in ${TRIES} tries`);
}
