/**
 * Takes whatever is in the outbox to the broker, each type of event in a lane of its own: what holds
 * one type up, such as an exchange that is missing, holds up no other. The order of the commits is
 * kept within a type, and not between two.
 */
import { EVENT_TYPES, type EventType } from "@ecomarket/shared/contract/catalogue";
import type { OutboxPart } from "./outbox.ts";
import { RelayLane, type RelayLaneOptions } from "./relay_lane.ts";
import { combined, type RelayStatus } from "./relay_status.ts";

/** How a relay runs. */
export type OutboxRelayOptions = Omit<RelayLaneOptions, "type" | "part" | "onProblem">;

/**
 * Publishes each event of the outbox until it is confirmed, at least once, and deletes none before.
 * It gives up for no broker that is away.
 */
export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  readonly #lanes: readonly RelayLane[];

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
    this.#lanes = EVENT_TYPES.map((type, index) =>
      new RelayLane({
        ...options,
        type,
        part: partOf(type),
        onProblem: (problem) => this.#report(problem, index),
      })
    );
  }

  get status(): RelayStatus {
    return combined(this.#lanes.map(({ status }) => status));
  }

  /**
   * Runs every lane until `stop` aborts: see {@link RelayLane.run}. Where one of them fails for good,
   * the others are stopped as well.
   *
   * @throws {Deno.errors.NotCapable} when the sandbox forbids to reach the broker.
   */
  async run(stop: AbortSignal): Promise<void> {
    const failure = new AbortController();
    const stopLanes = AbortSignal.any([stop, failure.signal]);
    this.#options.outbox.onAppended = () => this.#lanes.forEach((lane) => lane.wake());
    const runs = this.#lanes.map((lane) =>
      lane.run(stopLanes).catch((error) => {
        failure.abort();
        throw error;
      })
    );
    await Promise.allSettled(runs);
    await Promise.all(runs);
  }

  /** Logs `problem`, unless a lane before this one has it as well: a broker that is away is told once. */
  #report(problem: string, index: number): void {
    if (this.#lanes.slice(0, index).some(({ status }) => status.problem === problem)) return;
    this.#options.log.warning("{problem}", { problem });
  }
}

/** Each type is in one lane; what no lane knows, such as a newer program's, is in the first. */
function partOf(type: EventType): OutboxPart {
  const [first, ...others] = EVENT_TYPES;
  return type === first ? { allBut: others } : { only: type };
}
