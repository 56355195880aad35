/** The command line of `deno task publish`. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { EVENT_TYPES, type EventType } from "@ecomarket/shared/contract/catalogue";
import type { Body } from "@ecomarket/shared/contract/message";
import { formatFailurePlan, parseFailurePlan } from "@ecomarket/shared/contract/simulated_failure";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { type Level, LEVELS } from "../levels/levels.ts";
import type { EventForm } from "./events/event_form.ts";
import { EVENT_FORMS, formOf } from "./events/event_forms.ts";
import type { Invent } from "./sources/generated.ts";
import { inWords } from "./sources/in_words.ts";

const DEFAULT_EVENT: EventType = "UsuarioCreado";

export const USAGE = `
Usage: ${callsOfForms()}
       deno task publish [--event TYPE] --count N [--seed N]
       deno task publish [--event TYPE] --file rows.csv|rows.jsonl|-

Publishes an event for what its options describe, for N invented ones, or for
each row of a file. Rows that are no valid event are reported with their line
and reason; the rest is published.

  --event TYPE       ${EVENT_TYPES.join(" or ")} (default: ${DEFAULT_EVENT})
  --count N          publish N invented ones; users have addresses below
                     example.com
  --seed N           invent the same ones each time
  --file PATH        rows from a .csv, .jsonl or .ndjson file, or - (stdin); a
                     CSV has a header row
  --level LEVEL      simple, persistent or robust (default: robust)
  --fail NAME:TIMES  ask the subscriber NAME to fail TIMES times, "always", or
                     to die each time ("crash"); repeatable. Consumers do so
                     with SIMULATE_FAILURES=1 only
  --json             print one JSON object at the end: published, confirmed,
                     rejected (line, reason), and failed (line, status, reason)
                     if any, the first 10000 of each; "unlisted" counts the rest
  -h, --help         show this text
${optionsOfForms()}

Exit codes: 0 everything was published; 1 some was not; 2 the command line or
the file cannot be used, or the file has no row; 130 interrupted.
`;

/** Where the rows come from. */
export type SourceRequest =
  | { readonly kind: "one"; readonly fields: Body }
  | {
    readonly kind: "generated";
    readonly invent: Invent;
    readonly count: number;
    readonly seed: number | undefined;
  }
  | { readonly kind: "file"; readonly path: string };

/** What is asked of the command. */
export interface PublishRequest {
  readonly type: EventType;
  readonly form: EventForm;
  readonly source: SourceRequest;
  readonly level: Level;
  /** As the header `x-simulate-failures` writes it. */
  readonly failures: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  event: { type: "string" },
  count: { type: "string" },
  seed: { type: "string" },
  file: { type: "string" },
  level: { type: "string" },
  fail: { type: "string", multiple: true },
  json: { type: "boolean" },
} as const;

/** The options of all events: which of them belong to the event asked for is seen later. */
const EVENT_OPTIONS = Object.fromEntries(
  Object.values(EVENT_FORMS).flatMap(({ flags }) => Object.entries(flags)).map((
    [name, { isRepeatable: multiple = false }],
  ) => [name, { type: "string", multiple } as const]),
);

type EventValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * @returns `undefined` when help is asked for.
 * @throws {UsageError} when the options do not go together, or one has an impossible value.
 */
export function parsePublishArguments(args: readonly string[]): PublishRequest | undefined {
  const { values } = parseArguments(args, { ...EVENT_OPTIONS, ...OPTIONS });
  if (values.help) return undefined;
  const type = parseEvent(values.event);
  const form = formOf(type);
  const given = Object.fromEntries(
    Object.entries(values).filter(([name]) => name in EVENT_OPTIONS),
  ) as EventValues;
  for (const name of Object.keys(given)) {
    if (!(name in form.flags)) throw new UsageError(`--${name} does not belong to ${type}`);
  }
  return {
    type,
    form,
    source: sourceRequest(type, form, given, values),
    level: parseLevel(values.level),
    failures: values.fail && parseFail(values.fail),
    json: values.json ?? false,
  };
}

interface SourceValues {
  readonly count?: string | undefined;
  readonly seed?: string | undefined;
  readonly file?: string | undefined;
}

function sourceRequest(
  type: EventType,
  form: EventForm,
  given: EventValues,
  { count, seed, file }: SourceValues,
): SourceRequest {
  const isOne = Object.keys(given).length > 0;
  const sources = [isOne, count !== undefined, file !== undefined].filter(Boolean).length;
  if (sources !== 1) throw new UsageError(`Give ${waysToGive(form)}`);
  if (seed !== undefined && count === undefined) throw new UsageError("--seed needs --count");
  if (file !== undefined) return { kind: "file", path: file };
  if (count !== undefined) {
    const { invent } = form;
    if (!invent) throw new UsageError(`No ${type} can be invented: give ${waysToGive(form)}`);
    return {
      kind: "generated",
      invent,
      count: wholeNumber("count", count, 1, { min: 1 }),
      seed: seed === undefined ? undefined : wholeNumber("seed", seed, 0, { max: 0xffff_ffff }),
    };
  }
  const fields = Object.entries(form.flags).map(([name, { field, isRequired, problemOf }]) => {
    const value = given[name];
    if (isRequired && value === undefined) throw new UsageError(`--${name} is missing`);
    const problem = typeof value === "string" ? problemOf?.(value) : undefined;
    if (problem) throw new UsageError(`--${name} ${problem}, got "${String(value)}"`);
    return [field, value] as const;
  });
  return { kind: "one", fields: Object.fromEntries(fields) };
}

/** Such as `one of: --nombre and --email, --count, or --file`. */
function waysToGive({ flags, invent }: EventForm): string {
  const required = Object.entries(flags).filter(([, { isRequired }]) => isRequired);
  const ways = [inWords(required.map(([name]) => `--${name}`)), invent ? "--count" : ""]
    .filter(Boolean);
  return ways.length === 0 ? "--file" : `one of: ${ways.join(", ")}, or --file`;
}

function parseEvent(text: string = DEFAULT_EVENT): EventType {
  const type = EVENT_TYPES.find((known) => known === text);
  if (!type) {
    throw new UsageError(`--event must be one of ${EVENT_TYPES.join(", ")}, got "${text}"`);
  }
  return type;
}

function parseLevel(text: string = "robust"): Level {
  const level = LEVELS.find((known) => known === text);
  if (!level) throw new UsageError(`--level must be one of ${LEVELS.join(", ")}, got "${text}"`);
  return level;
}

/** @throws {UsageError} when a name is no subscriber's: nobody would fail, and nobody would say so. */
function parseFail(texts: readonly string[]): string {
  const plan = parseFailurePlan(texts.join(","));
  for (const name of plan.keys()) {
    if (Object.hasOwn(SUBSCRIBER_QUEUES, name)) continue;
    throw new UsageError(
      `--fail knows the subscribers of shared/contract/topology.ts: ` +
        `${inWords(Object.keys(SUBSCRIBER_QUEUES))}; got "${name}"`,
    );
  }
  return formatFailurePlan(plan);
}

function callsOfForms(): string {
  return Object.entries(EVENT_FORMS).map(([type, { usage }]) =>
    `deno task publish ${type === DEFAULT_EVENT ? "" : `--event ${type} `}${usage.calls}`
  ).join("\n       ");
}

function optionsOfForms(): string {
  return Object.entries(EVENT_FORMS).map(([type, { usage }]) => `\n${type}:${usage.options}`)
    .join("\n");
}
