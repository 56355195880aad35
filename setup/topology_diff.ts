/** What differs between the topology that is wanted and what stands, without touching either. */
import type { StandingTopology } from "@ecomarket/shared/management";
import { driftAdvice, EVENTS_EXCHANGE, type Topology } from "@ecomarket/shared/topology";

/** One difference, in a sentence that names the thing, what is there, and what was wanted. */
export type Difference = string;

/** Every difference that matters: what is missing, and what stands otherwise. */
export function diffTopology(wanted: Topology, standing: StandingTopology): Difference[] {
  return [
    ...wanted.exchanges.flatMap(({ name, type }) => {
      const found = standing.exchanges.find((exchange) => exchange.name === name);
      if (!found) return [missing(`exchange "${name}"`)];
      const problems = [
        ...(found.type === type ? [] : [`its type is ${found.type}, ${type} was wanted`]),
        ...(found.durable ? [] : ["it is not durable"]),
        ...argumentDifferences({}, found.arguments),
      ];
      return problems.map((problem) => drift("exchange", name, problem));
    }),
    ...wanted.queues.flatMap(({ name, arguments: args }) => {
      const found = standing.queues.find((queue) => queue.name === name);
      if (!found) return [missing(`queue "${name}"`)];
      const problems = [
        ...(found.durable ? [] : ["it is not durable"]),
        ...argumentDifferences(args, found.arguments),
      ];
      return problems.map((problem) => drift("queue", name, problem));
    }),
    ...wanted.bindings.flatMap(({ exchange, queue, routingKey }) => {
      const found = standing.bindings.some((binding) =>
        binding.source === exchange && binding.destination === queue &&
        binding.destination_type === "queue" && binding.routing_key === routingKey
      );
      const key = routingKey === "" ? "" : ` with the key "${routingKey}"`;
      return found ? [] : [missing(`binding of "${queue}" to "${exchange}"${key}`)];
    }),
  ];
}

/** Queues that also receive every event, and that this topology does not name: other subscribers. */
export function otherSubscribers(wanted: Topology, standing: StandingTopology): string[] {
  const known = new Set(wanted.queues.map((queue) => queue.name));
  return standing.bindings
    .filter((binding) => binding.source === EVENTS_EXCHANGE && !known.has(binding.destination))
    .map((binding) => binding.destination)
    .sort();
}

function argumentDifferences(
  wanted: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
  return names
    .filter((name) => wanted[name] !== found[name])
    .map((name) => `its ${name} is ${shown(found[name])}, ${shown(wanted[name])} was wanted`);
}

function shown(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}

function missing(what: string): Difference {
  return `The ${what} is missing. Run: deno task setup-queues`;
}

function drift(kind: "queue" | "exchange", name: string, problem: string): Difference {
  return `The ${kind} "${name}" stands otherwise: ${problem}. ${driftAdvice(kind, name)}`;
}
