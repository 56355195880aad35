/** The command line of `dead-letters replay`. */
import { UsageError } from "@ecomarket/shared/base/errors";
import type { Body } from "@ecomarket/shared/contract/message";
import { numberBetween, parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { FILTER_OPTIONS } from "../letters/filter.ts";
import { parseSelection, type Selection } from "../letters/selection.ts";
import { parsePatch } from "./patch.ts";

/** What is asked of a replay. */
export interface ReplayRequest {
  readonly selection: Selection;
  /** Whether all dead letters are meant, but for what other filters leave out. */
  readonly all: boolean;
  /** Dead letters that are sent at once; the others wait in the same operation. */
  readonly limit: number;
  /** Messages per second. */
  readonly rate: number | undefined;
  readonly patch: Body | undefined;
  readonly newId: boolean;
  readonly poison: boolean;
  readonly again: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly reason: string;
  readonly json: boolean;
}

/** How far a run goes, and how it tells: also of `operations resume`. */
export const RUN_OPTIONS = {
  limit: { type: "string" },
  rate: { type: "string" },
  "no-wait": { type: "boolean" },
  json: { type: "boolean" },
} as const;

const OPTIONS = {
  ...FILTER_OPTIONS,
  ...RUN_OPTIONS,
  all: { type: "boolean" },
  patch: { type: "string" },
  "new-id": { type: "boolean" },
  poison: { type: "boolean" },
  again: { type: "boolean" },
  yes: { type: "boolean" },
  "dry-run": { type: "boolean" },
  reason: { type: "string" },
} as const;

/** More ids than anybody types. */
export const MAX_IDS = 10_000;

/** @throws {UsageError} when the options do not go together, or one has an impossible value. */
export function parseReplayArguments(args: readonly string[], now: Date): ReplayRequest {
  const { values, positionals } = parseArguments(args, OPTIONS, MAX_IDS);
  const { all = false, again = false } = values;
  const filters = Object.fromEntries(
    Object.keys(FILTER_OPTIONS).map((name) => [name, values[name as keyof typeof FILTER_OPTIONS]]),
  );
  if (positionals.length === 0 && !all && values.group === undefined) {
    throw new UsageError("Say which dead letters to replay: ids, --group G, or --all");
  }
  if (positionals.length > 0 && all) throw new UsageError("Give ids or --all, not both");
  const selection = parseSelection(positionals, filters, now);
  return {
    selection: again && selection.kind === "filter"
      ? { ...selection, filter: { ...selection.filter, withReplayed: true } }
      : selection,
    all,
    again,
    ...parseRunOptions(values),
    patch: values.patch === undefined ? undefined : parsePatch(values.patch),
    newId: values["new-id"] ?? false,
    poison: values.poison ?? false,
    yes: values.yes ?? false,
    dryRun: values["dry-run"] ?? false,
    reason: values.reason ?? "",
  };
}

/** What the command line says for {@link RUN_OPTIONS}. */
export interface RunValues {
  readonly limit?: string | undefined;
  readonly rate?: string | undefined;
  readonly "no-wait"?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** @throws {UsageError} when a limit or a rate is none. */
export function parseRunOptions(
  values: RunValues,
): Pick<ReplayRequest, "limit" | "rate" | "wait" | "json"> {
  const range = { min: 0.01, max: 100_000 };
  return {
    limit: wholeNumber("limit", values.limit, Number.MAX_SAFE_INTEGER, { min: 1 }),
    rate: values.rate === undefined ? undefined : numberBetween("rate", values.rate, 0, range),
    wait: !values["no-wait"],
    json: values.json ?? false,
  };
}
