/** `dead-letters discard`: gives dead letters up for good, and keeps a tombstone of each. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, printError } from "@ecomarket/shared/process/main";
import { Archive } from "../archive/archive.ts";
import { newOperationId, type Operation } from "../archive/operations.ts";
import { whoAmI } from "../archive/who.ts";
import { FILTER_OPTIONS, matches, refuseUnknownSubscriber } from "../letters/filter.ts";
import { printableJson } from "@ecomarket/shared/process/printable";
import { inWords, parseSelection, select, type Selection } from "../letters/selection.ts";
import { confirmed } from "../operations/confirmation.ts";
import { MAX_IDS } from "../replay/replay_arguments.ts";
import { parseSize, tooMany } from "./retention.ts";
import { overwriteWhatIsDiscarded, shrink } from "./shrink.ts";

/** Dead letters that are discarded in one transaction: the consumer commits in between. */
const AT_ONCE = 200;

const OPTIONS = {
  ...FILTER_OPTIONS,
  "keep-size": { type: "string" },
  reason: { type: "string" },
  yes: { type: "boolean" },
  "dry-run": { type: "boolean" },
  json: { type: "boolean" },
} as const;

interface DiscardRequest {
  readonly selection: Selection;
  /** Whether it is about the archive's age or size: then nothing is too well known to go. */
  readonly isRetention: boolean;
  readonly keepBytes: number | undefined;
  readonly reason: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Discards what `args` ask for, and returns the exit code. */
export async function discard(args: readonly string[], signal: AbortSignal): Promise<number> {
  const request = parse(args, new Date());
  using archive = Archive.open();
  using _lock = request.dryRun ? undefined : archive.lock();
  const letters = meant(request, archive);
  const now = new Date();
  const operation: Operation = {
    id: newOperationId(now),
    kind: "discard",
    who: whoAmI(),
    why: request.reason,
    startedAt: now.toISOString(),
    selection: inWords(args),
    options: {},
    abortedAt: undefined,
  };
  if (request.dryRun || letters.length === 0) {
    if (request.json) print(printableJson({ dryRun: request.dryRun, letters }));
    else print(`Nothing was discarded: ${letters.length} would be`);
    return 0;
  }
  if (request.selection.kind === "filter" && !request.yes) {
    await confirmed(
      `${letters.length} dead letter(s) would be given up for good.`,
      "--yes",
      signal,
    );
  }
  await archive.operations.begin(operation, letters);
  return await carryOutDiscard(operation, archive, signal, request.json);
}

/** Discards what is still pending in `operation`, shrinks the file, and returns the exit code. */
export async function carryOutDiscard(
  operation: Operation,
  archive: Archive,
  signal: AbortSignal,
  json: boolean,
): Promise<number> {
  overwriteWhatIsDiscarded(archive.db);
  for (;;) {
    const items = archive.operations.next(operation.id, AT_ONCE);
    if (items.length === 0 || signal.aborted) break;
    await archive.operations.discard(operation.id, items.map(({ letter }) => letter));
    await nextTurn(); // A signal is heard between two groups.
  }
  const isShrunk = signal.aborted || shrink(archive.db);
  const { discarded, pending } = archive.operations.counts(operation.id);
  if (json) print(printableJson({ operation: operation.id, discarded, pending }));
  else print(`Operation ${operation.id}: ${discarded} discarded, a tombstone is left of each`);
  if (!isShrunk) {
    printError("The file keeps its size, for an older version made it: it is filled anew");
  }
  if (pending === 0) return 0;
  printError(`${pending} are left: deno task dead-letters operations resume ${operation.id}`);
  return 130;
}

function meant({ selection, isRetention, keepBytes }: DiscardRequest, archive: Archive): number[] {
  if (!isRetention || selection.kind === "ids") {
    return select(archive, selection).map(({ id }) => id);
  }
  refuseUnknownSubscriber(selection.filter, archive.letters.origins());
  const all = archive.letters.withBodies((letter) =>
    matches({ ...letter, isReplayed: false }, selection.filter)
  );
  if (keepBytes === undefined) return all.map(({ id }) => id);
  return tooMany(all, keepBytes);
}

function parse(args: readonly string[], now: Date): DiscardRequest {
  const { values, positionals } = parseArguments(args, OPTIONS, MAX_IDS);
  const { "keep-size": keepSize, "older-than": olderThan, group } = values;
  const filters = Object.fromEntries(
    Object.keys(FILTER_OPTIONS).map((name) => [name, values[name as keyof typeof FILTER_OPTIONS]]),
  );
  if (positionals.length > 0 && keepSize !== undefined) {
    throw new UsageError("Give ids or --keep-size, not both");
  }
  if (positionals.length === 0 && [group, olderThan, keepSize].every((it) => it === undefined)) {
    throw new UsageError(
      "Say what to discard: ids, --group G, --older-than AGE or --keep-size SIZE",
    );
  }
  const reason = values.reason?.trim() ?? "";
  if (reason === "") {
    throw new UsageError('Discarding needs a reason, such as --reason "test data"');
  }
  return {
    selection: parseSelection(positionals, filters, now),
    isRetention: group === undefined && (olderThan !== undefined || keepSize !== undefined),
    keepBytes: keepSize === undefined ? undefined : parseSize(keepSize),
    reason,
    yes: values.yes ?? false,
    dryRun: values["dry-run"] ?? false,
    json: values.json ?? false,
  };
}
