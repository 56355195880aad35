/** What differs between the topology that is wanted and what stands, without touching either. */
import { ConfigError } from "@ecomarket/shared/base/errors";
import type { StandingConsumer, StandingTopology } from "@ecomarket/shared/broker/management";
import {
  knowsNativeRetry,
  nativeRetryRefusal,
  queuesWithNativeRetry,
} from "@ecomarket/shared/contract/native_retry";
import { USER_BUCKET } from "@ecomarket/shared/contract/user_bucket";
import {
  driftAdvice,
  EVENT_EXCHANGES,
  migratingName,
  setupExchange,
  type Topology,
} from "@ecomarket/shared/contract/topology";

/** One difference between what is wanted and what stands. */
export interface Difference {
  readonly kind: "missing" | "otherwise" | "unknown" | "unfinished" | "shared";
  /** The thing, what is there, and what was wanted: a sentence without its full stop. */
  readonly what: string;
  /** What to do about it: a command alone, or a sentence without its full stop. */
  readonly mend: string;
}

/** A difference as a person reads it. */
export function differenceText({ what, mend }: Difference): string {
  return `${what}. ${mend.startsWith("deno task ") ? "Run: " : ""}${mend}`;
}

/** Every difference that matters: what is missing, and what stands otherwise. */
export function diffTopology(wanted: Topology, standing: StandingTopology): Difference[] {
  return [
    ...wanted.exchanges.flatMap(({ name, type, arguments: args = {} }) => {
      const found = standing.exchanges.find((exchange) => exchange.name === name);
      if (!found) return [missing(`exchange "${name}"`)];
      const problems = [
        ...(found.type === type ? [] : [`its type is ${found.type}, ${type} was wanted`]),
        ...(found.durable ? [] : ["it is not durable"]),
        ...argumentDifferences(args, found.arguments),
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
    ...wanted.bindings.flatMap(({ exchange, queue, routingKey, arguments: args }) => {
      const found = standing.bindings.some((binding) =>
        isBinding(binding, exchange, queue, "queue", routingKey) &&
        (!args || argumentDifferences(args, binding.arguments ?? {}).length === 0)
      );
      const bucket = args ? ` for the bucket ${args[USER_BUCKET]}` : "";
      return found
        ? []
        : [missing(`binding of "${queue}" to "${exchange}"${withKey(routingKey)}${bucket}`)];
    }),
    ...(wanted.links ?? []).flatMap(({ from, to, routingKey }) => {
      const found = standing.bindings.some((binding) =>
        isBinding(binding, from, to, "exchange", routingKey)
      );
      return found ? [] : [missing(`binding of "${to}" to "${from}"${withKey(routingKey)}`)];
    }),
  ];
}

/** What is wanted and the broker's version does not know, though it declares it without a word. */
export function unknownToBroker({ queues }: Topology, version: string): Difference[] {
  const asking = queuesWithNativeRetry(queues);
  if (asking.length === 0 || knowsNativeRetry(version)) return [];
  const { what, mend } = nativeRetryRefusal(version, asking);
  return [difference("unknown", what, mend)];
}

function isBinding(
  binding: StandingTopology["bindings"][number],
  source: string,
  destination: string,
  kind: "queue" | "exchange",
  routingKey: string,
): boolean {
  return binding.source === source && binding.destination === destination &&
    binding.destination_type === kind && binding.routing_key === routingKey;
}

function withKey(routingKey: string): string {
  return routingKey === "" ? "" : ` with the key "${routingKey}"`;
}

/** Queues that also receive an event, and that this topology does not name: other subscribers. */
export function otherSubscribers(wanted: Topology, standing: StandingTopology): string[] {
  const known = new Set(wanted.queues.flatMap(({ name }) => [name, migratingName(name)]));
  return standing.bindings
    .filter((binding) =>
      EVENT_EXCHANGES.includes(binding.source) && binding.destination_type === "queue" &&
      !known.has(binding.destination)
    )
    .map((binding) => binding.destination)
    .filter((queue, index, all) => all.indexOf(queue) === index)
    .sort();
}

/** What is left of a run that was ended on its way, and what finishes it. */
export function leftovers(wanted: Topology, standing: StandingTopology): Difference[] {
  const names = new Set([...standing.exchanges, ...standing.queues].map(({ name }) => name));
  const setup = EVENT_EXCHANGES.some((exchange) => names.has(setupExchange(exchange)))
    ? [difference("unfinished", "A set-up was ended on its way", "deno task setup-queues")]
    : [];
  const migrations = wanted.queues.filter(({ name }) => names.has(migratingName(name)))
    .map(({ name }) => unfinishedMigration(name));
  return [...setup, ...migrations];
}

/** What is said of a queue for which something stands in. */
export function unfinishedMigration(queue: string): Difference {
  return difference(
    "unfinished",
    `A migration of "${queue}" was ended on its way, and messages may wait in ` +
      `"${migratingName(queue)}"`,
    "deno task setup-queues --migrate",
  );
}

/** Queues whose consumers call themselves by more than one name: they take events from each other. */
export function sharedByConsumers(consumers: readonly StandingConsumer[]): Difference[] {
  const byQueue = Map.groupBy(consumers, ({ queue }) => queue);
  return [...byQueue].flatMap(([queue, all]) => {
    const names = [...new Set(all.flatMap(({ name }) => name === undefined ? [] : [name]))].sort();
    if (names.length < 2) return [];
    const shown = names.map((name) => `"${name}"`).join(" and ");
    return [difference(
      "shared",
      `The queue "${queue}" is consumed under different names, ${shown}: each event reaches one of ` +
        "them only",
      "Give each subscriber a queue of its own",
    )];
  });
}

/**
 * Subscribers of the topology must not share a queue.
 *
 * @throws {ConfigError} that says which do, and what to change.
 */
export function refuseSharedQueues(subscribers: Readonly<Record<string, string>>): void {
  const byQueue = Map.groupBy(Object.keys(subscribers), (name) => subscribers[name]!);
  for (const [queue, names] of byQueue) {
    if (names.length < 2) continue;
    const shown = names.map((name) => `"${name}"`).join(" and ");
    throw new ConfigError(
      `The subscribers ${shown} share the queue "${queue}": each event would reach one of them ` +
        "only. Give each a queue of its own in SUBSCRIBER_QUEUES of shared/contract/topology.ts",
    );
  }
}

/** In which arguments a queue differs, in words. */
export function argumentDifferences(
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
  return difference("missing", `The ${what} is missing`, "deno task setup-queues");
}

function drift(kind: "queue" | "exchange", name: string, problem: string): Difference {
  const what = `The ${kind} "${name}" stands otherwise: ${problem}`;
  return difference("otherwise", what, driftAdvice(kind, name));
}

function difference(kind: Difference["kind"], what: string, mend: string): Difference {
  return { kind, what, mend };
}
