/** `dead-letters replay`: sends dead letters back to the one queue that failed. */
import { poll } from "@ecomarket/shared/base/poll";
import { REPLAY } from "@ecomarket/shared/contract/permissions";
import { dataDir, roleAmqpUrls } from "@ecomarket/shared/process/config";
import { print, printError } from "@ecomarket/shared/process/main";
import { ProgressBar } from "@ecomarket/shared/process/progress_bar";
import { Archive } from "../archive/archive.ts";
import { LocalInboxes } from "../archive/inboxes.ts";
import type { Letter } from "../archive/letters.ts";
import { newOperationId, type Operation } from "../archive/operations.ts";
import { whoAmI } from "../archive/who.ts";
import { printableJson } from "@ecomarket/shared/process/printable";
import { inWords, select } from "../letters/selection.ts";
import { confirmed } from "../operations/confirmation.ts";
import { reportLines, reportOf } from "../operations/report.ts";
import { dryRun } from "./dry_run.ts";
import { parseReplayArguments, type ReplayRequest } from "./replay_arguments.ts";
import { ReplayChannel } from "./replay_channel.ts";
import { type RunEnd, runReplay } from "./run_replay.ts";
import { readVerdict } from "./verdict.ts";

/** How long the verdicts are waited for at the end. */
const WAIT_MS = 15_000;
/** A bar is worth it from so many messages on. */
const MANY = 20;

/** Replays what `args` ask for, and returns the exit code. */
export async function replay(args: readonly string[], signal: AbortSignal): Promise<number> {
  const request = parseReplayArguments(args, new Date());
  const urls = roleAmqpUrls(REPLAY);
  using archive = Archive.open();
  using inboxes = new LocalInboxes(dataDir(""));
  using _lock = request.dryRun ? undefined : archive.lock();
  const letters = select(archive, request.selection);
  if (letters.length === 0) return nothing(request, archive);
  const { patch, newId, poison, rate } = request;
  const now = new Date();
  const operation: Operation = {
    id: newOperationId(now),
    kind: "replay",
    who: whoAmI(),
    why: request.reason,
    startedAt: now.toISOString(),
    selection: inWords(args),
    options: { patch, newId, poison, rate },
    abortedAt: undefined,
  };
  if (request.dryRun) {
    return dryRun(operation, letters, { archive, inboxes, ...request });
  }
  await confirmRequest(request, letters, signal);
  await using channel = await ReplayChannel.open(urls);
  await archive.operations.begin(operation, letters.map(({ id }) => id));
  return await carryOut(operation, { archive, inboxes, channel, signal, ...request });
}

/** What {@link carryOut} works with. */
export interface CarryOutOptions {
  readonly archive: Archive;
  readonly inboxes: LocalInboxes;
  readonly channel: ReplayChannel;
  readonly signal: AbortSignal;
  readonly limit: number;
  readonly rate: number | undefined;
  readonly wait: boolean;
  readonly json: boolean;
}

/** Does what `operation` has still to do, tells what became of it, and returns the exit code. */
export async function carryOut(operation: Operation, options: CarryOutOptions): Promise<number> {
  const { archive, inboxes, channel, signal, json } = options;
  const size = Math.min(options.limit, unfinished(operation, archive));
  const bar = !json && size >= MANY && Deno.stderr.isTerminal() ? new ProgressBar(size) : undefined;
  const onStop = () => {
    const text = "Stopping after the messages under way (Ctrl+C again ends at once)";
    if (bar) bar.print(text);
    else printError(text);
  };
  signal.addEventListener("abort", onStop);
  let end: RunEnd;
  try {
    const context = {
      archive,
      inboxes,
      send: channel.send.bind(channel),
      blockedOrigins: await channel.blockedOrigins(archive.operations.origins(operation.id)),
    };
    const onProgress = (settled: number) => bar?.update(settled, `${settled} of ${size}`);
    end = await runReplay(operation, context, { ...options, onProgress });
  } catch (error) {
    printError(`Go on with: deno task dead-letters operations resume ${operation.id}`);
    throw error;
  } finally {
    bar?.stop();
    signal.removeEventListener("abort", onStop);
  }
  if (options.wait && !signal.aborted) await untilJudged(operation, options);
  const report = reportOf(operation, archive, inboxes);
  if (json) print(printableJson(report));
  else reportLines(report).forEach(print);
  if (end.kind === "stopped") {
    printError(`Stopped: the broker did not confirm (${end.reason}). What is in doubt is looked`);
    printError("for in the inbox and in the archive before it is sent again.");
  }
  if (signal.aborted) return 130;
  const isWell = report.items.every(({ verdict: { kind } }) =>
    kind !== "refused" && kind !== "failed-again"
  );
  return isWell && end.kind !== "stopped" ? 0 : 1;
}

function unfinished(operation: Operation, archive: Archive): number {
  const { pending, sending } = archive.operations.counts(operation.id);
  return pending + sending;
}

/** Resolves once each message that was sent has met its fate, or nobody waits any longer. */
async function untilJudged(
  operation: Operation,
  { archive, inboxes, signal }: CarryOutOptions,
): Promise<void> {
  let waiting = archive.operations.items(operation.id).filter(({ state }) => state === "sent");
  await poll(() => {
    waiting = waiting.filter((item) => readVerdict(item, archive, inboxes).kind === "waiting");
    return waiting.length === 0;
  }, { timeoutMs: WAIT_MS, intervalMs: 100, signal }).catch(() => {}); // Interrupted: told as it is.
}

function nothing({ selection }: ReplayRequest, archive: Archive): number {
  const isMeant = selection.kind === "filter" && !selection.filter.withReplayed;
  const all = isMeant
    ? select(archive, { ...selection, filter: { ...selection.filter, withReplayed: true } })
    : [];
  print(
    all.length > 0
      ? `All ${all.length} were sent back already. To do so again, add --again`
      : "No dead letter is meant by that: deno task dead-letters list",
  );
  return all.length > 0 ? 2 : 0;
}

async function confirmRequest(
  { all, again, yes }: ReplayRequest,
  letters: readonly Letter[],
  signal: AbortSignal,
): Promise<void> {
  const replayed = letters.filter(({ isReplayed }) => isReplayed);
  if (replayed.length > 0 && !again) {
    const names = replayed.slice(0, 5).map(({ id }) => id).join(", ");
    const others = replayed.length > 5 ? ` and ${replayed.length - 5} more` : "";
    const verb = replayed.length === 1 ? "was" : "were";
    await confirmed(`${names}${others} ${verb} sent back before.`, "--again", signal);
  }
  if (all && !yes) {
    await confirmed(`${letters.length} dead letter(s) would be sent back.`, "--yes", signal);
  }
}
