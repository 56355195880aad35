/** `dead-letters operations`: what was decided, what became of it, and what is still to be done. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { REPLAY } from "@ecomarket/shared/contract/permissions";
import { dataDir, roleAmqpUrls } from "@ecomarket/shared/process/config";
import { print } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { Archive, ArchiveError } from "../archive/archive.ts";
import { LocalInboxes } from "../archive/inboxes.ts";
import type { Operation } from "../archive/operations.ts";
import { whoAmI } from "../archive/who.ts";
import { carryOutDiscard } from "../discard/discard.ts";
import { printable, printableJson, shortened } from "@ecomarket/shared/process/printable";
import { carryOut } from "../replay/replay.ts";
import { ReplayChannel } from "../replay/replay_channel.ts";
import { parseRunOptions, RUN_OPTIONS } from "../replay/replay_arguments.ts";
import { type OperationReport, reportLines, reportOf, stateOf } from "./report.ts";

const VERBS: readonly string[] = ["list", "show", "resume", "abort"];

/** Does what `args` ask for, and returns the exit code. */
export async function operations(
  args: readonly string[],
  signal: AbortSignal,
): Promise<number | void> {
  const { values, positionals } = parseArguments(args, RUN_OPTIONS, 2);
  const [verb = "list", id] = positionals;
  const json = values.json ?? false;
  if (!VERBS.includes(verb)) {
    throw new UsageError(`operations knows show, resume and abort, got "${verb}"`);
  }
  if (verb !== "list" && id === undefined) {
    throw new UsageError(`Say which operation to ${verb}: its id`);
  }
  switch (verb) {
    case "list":
      return list(json);
    case "show":
      return show(id!, json);
    case "resume":
      return await resume(id!, parseRunOptions(values), signal);
    default:
      return await abort(id!, json);
  }
}

function list(json: boolean): void {
  using archive = Archive.open();
  const all = archive.operations.all().map((operation) => {
    const counts = archive.operations.counts(operation.id);
    return { ...operation, counts, state: stateOf(operation, counts) };
  });
  if (json) return print(printableJson(all));
  if (all.length === 0) return print("No operations");
  print(renderTable(
    ["operation", "what", "who", "done", "left", "state"],
    all.map(({ id, kind, who, counts, state }) => [
      id,
      kind,
      shortened(who, 12),
      counts.sent + counts.discarded,
      counts.pending + counts.sending,
      state,
    ]),
  ));
}

function show(id: string, json: boolean): void {
  using archive = Archive.open();
  using inboxes = new LocalInboxes(dataDir(""));
  const report = reportOf(find(archive, id), archive, inboxes);
  if (json) return print(printableJson(report));
  headLines(report).forEach(print);
  reportLines(report).forEach(print);
}

function headLines({ kind, who, why, startedAt, selection, state }: OperationReport): string[] {
  return [
    `${kind} by ${printable(who)} at ${startedAt}, ${state}`,
    `  why: ${why === "" ? "no reason was given" : printable(why)}`,
    `  what: ${printable(selection)}`,
  ];
}

async function resume(
  id: string,
  options: ReturnType<typeof parseRunOptions>,
  signal: AbortSignal,
): Promise<number> {
  const urls = roleAmqpUrls(REPLAY);
  using archive = Archive.open();
  using inboxes = new LocalInboxes(dataDir(""));
  using _lock = archive.lock();
  const operation = unfinished(archive, id);
  if (operation.kind === "discard") {
    return await carryOutDiscard(operation, archive, signal, options.json);
  }
  await using channel = await ReplayChannel.open(urls);
  const rate = options.rate ?? operation.options.rate;
  return await carryOut(operation, { archive, inboxes, channel, signal, ...options, rate });
}

async function abort(id: string, json: boolean): Promise<void> {
  using archive = Archive.open();
  using inboxes = new LocalInboxes(dataDir(""));
  using _lock = archive.lock();
  const operation = unfinished(archive, id);
  await archive.operations.abort(operation.id, `aborted by ${whoAmI()}`, new Date());
  const report = reportOf(find(archive, operation.id), archive, inboxes);
  if (json) print(printableJson(report));
  else reportLines(report).forEach(print);
}

/** @throws {ArchiveError} when nothing of the operation `id` is left to do. */
function unfinished(archive: Archive, id: string): Operation {
  const operation = find(archive, id);
  const state = stateOf(operation, archive.operations.counts(operation.id));
  if (state === "unfinished") return operation;
  const reason = state === "done"
    ? "is done: nothing of it is left"
    : `was aborted at ${operation.abortedAt}: what it had not done is decided anew`;
  throw new ArchiveError(
    `Operation ${operation.id} ${reason}. What became of it: ` +
      `deno task dead-letters operations show ${operation.id}`,
  );
}

function find(archive: Archive, id: string): Operation {
  const found = archive.operations.find(id);
  if (found) return found;
  throw new ArchiveError(
    `There is no operation "${id}", or more than one: deno task dead-letters operations`,
  );
}
