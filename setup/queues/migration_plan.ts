/** What a migration has to do for each queue, decided from what stands. It does nothing. */
import {
  type BindingSpec,
  DEAD_LETTER_QUEUE,
  migratingName,
  type QueueSpec,
  type Topology,
} from "@ecomarket/shared/contract/topology";

/** How one queue of the topology stands. */
export interface QueueStanding {
  readonly queue: "missing" | "as wanted" | "otherwise";
  /** Whether an earlier migration of it was ended on its way: what stood in for it is still there. */
  readonly isUnderWay: boolean;
}

/** `replace`: from the beginning. `finish`: the old one is gone, what was set aside has to come back. */
export type MigrationStep = "nothing" | "replace" | "finish";

/**
 * What is left to do for a queue. n.b. wherever a migration is ended, one of these goes on from there:
 * the old queue is deleted only when all that it held is in its stand-in, and the stand-in only when
 * all of that is in the new one.
 */
export function planMigration({ queue, isUnderWay }: QueueStanding): MigrationStep {
  if (queue === "otherwise") return "replace";
  return isUnderWay ? "finish" : "nothing";
}

/** The topology without these queues: what may be declared while they stand otherwise. */
export function withoutQueues(topology: Topology, names: ReadonlySet<string>): Topology {
  return {
    exchanges: topology.exchanges,
    queues: topology.queues.filter(({ name }) => !names.has(name)),
    bindings: topology.bindings.filter(({ queue }) => !names.has(queue)),
  };
}

/**
 * Where the new queue has to be bound: where the topology says, and wherever else the old one, or its
 * stand-in, was bound by somebody.
 */
export function bindingsOf(
  { name }: QueueSpec,
  wanted: Topology,
  standing: readonly Omit<BindingSpec, "queue">[],
): Omit<BindingSpec, "queue">[] {
  const all = [...wanted.bindings.filter(({ queue }) => queue === name), ...standing]
    .filter(({ exchange }) => exchange !== "" && exchange !== migratingName(name))
    .map(({ exchange, routingKey }) => ({ exchange, routingKey }));
  return [...new Map(all.map((binding) => [JSON.stringify(binding), binding])).values()];
}

/** Whether the messages of a queue are dead letters, whose headers say why. */
export function holdsDeadLetters(queue: string): boolean {
  return queue === DEAD_LETTER_QUEUE || queue.startsWith(`${DEAD_LETTER_QUEUE}.`);
}
