/**
 * `deno task publish`: publishes events from flags, a file, or nowhere at all, and tells what became
 * of each.
 */
import { UsageError } from "@ecomarket/shared/base/errors";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import { logConfig, roleAmqpUrls } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { type CommandContext, print, printError, runCommand } from "@ecomarket/shared/process/main";
import { ProgressBar } from "@ecomarket/shared/process/progress_bar";
import { connectPublisher, type Level } from "../levels/levels.ts";
import type { Publisher } from "../levels/publisher.ts";
import { asEvents, type EventRow, eventRow, type EventSource } from "./event_row.ts";
import { dropFileAccess } from "./file_access.ts";
import { parsePublishArguments, type PublishRequest, USAGE } from "./publish_arguments.ts";
import { PublishCounts } from "./publish_counts.ts";
import { jsonReport, textReport } from "./publish_report.ts";
import { fromFirstEvent, MAX_FAILURES_IN_A_ROW, publishRows } from "./publish_rows.ts";
import { openInput, readInput } from "./sources/file.ts";
import { generatedRows } from "./sources/generated.ts";
import type { Extent } from "./sources/source_row.ts";

/** Events under way at once. The lower levels get no answers, so there is nothing to wait for. */
const UNDER_WAY: Readonly<Record<Level, number>> = { simple: 1, persistent: 1, robust: 500 };

/** Publishes what the command line asks for, and returns the exit code. */
export async function publish({ args, signal }: CommandContext): Promise<number> {
  const request = parsePublishArguments(args);
  if (!request) {
    print(USAGE.trim());
    return 0;
  }
  await configureLog(logConfig());
  const urls = roleAmqpUrls("publisher");
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const source = await openEvents(request, stop);
  const { level, type } = request;
  const connect = () =>
    connectPublisher(level, { urls, signal, log: roleLogger("publisher"), events: [type] });
  const counts = await publishAll(source, connect, request, stop, giveUp);
  if (signal.aborted) return INTERRUPTED;
  return counts.isComplete ? 0 : 1;
}

/** What a shell reports of a program that Ctrl+C has ended. */
const INTERRUPTED = 130;

/**
 * Opens what is to be published. One event of flags is judged at once. Before anything is read that
 * somebody else may have written, no file but the named one can be read any more.
 */
async function openEvents(
  { type, form, source }: PublishRequest,
  signal: AbortSignal,
): Promise<EventSource> {
  if (source.kind === "file") {
    const input = await openInput(source.path);
    await dropFileAccess();
    return asEvents(type, await readInput(input, form, signal));
  }
  await dropFileAccess();
  switch (source.kind) {
    case "one": {
      const row = eventRow(type, { line: 1, fields: source.fields });
      if (!("problem" in row)) return { rows: only(row), place: () => `the ${form.noun}` };
      throw new UsageError(`The ${form.noun} cannot be announced: ${row.problem}`);
    }
    case "generated":
      return asEvents(type, generatedRows(form.noun, source));
  }
}

async function* only(row: EventRow): AsyncGenerator<EventRow> {
  yield row;
}

const STOPPING = "Stopping: waiting for what is under way (Ctrl+C again ends at once)";
const HOPELESS = `Stopped after ${MAX_FAILURES_IN_A_ROW} failures in a row: the rest was not read`;

/**
 * Publishes every row of `source`, and tells the totals. Connects once there is something to publish:
 * what cannot be published is told whether there is a broker or not.
 */
async function publishAll(
  source: EventSource,
  connect: () => Promise<Publisher>,
  { level, failures, json }: PublishRequest,
  signal: AbortSignal,
  giveUp: AbortController,
): Promise<PublishCounts> {
  const counts = new PublishCounts();
  let bar: ProgressBar | undefined;
  const say = (line: string) => bar ? bar.print(line) : printError(line);
  const report = json ? jsonReport() : textReport({ level, place: source.place, say });
  const rows = await fromFirstEvent(source.rows, counts, report);
  if (!rows) {
    report.totals(counts);
    return counts;
  }
  const publisher = await connect();
  if (!json && isLong(source.extent)) bar = new ProgressBar(source.extent.size);
  signal.addEventListener("abort", () => say(giveUp.signal.aborted ? HOPELESS : STOPPING));
  try {
    await publishRows(rows, counts, {
      publisher,
      report,
      limit: UNDER_WAY[level],
      publishOptions: failures === undefined
        ? {}
        : { headers: { [X_SIMULATE_FAILURES]: failures } },
      onProgress: () => bar?.update(source.extent!.position(), inWords(counts)),
      onHopeless: () => giveUp.abort(),
      signal,
    });
  } finally {
    await publisher.close();
    bar?.stop();
    report.totals(counts);
  }
  return counts;
}

function inWords({ published, rejected }: PublishCounts): string {
  return `${published} published, ${rejected} rejected`;
}

/** Whether it is worth a progress bar: a terminal, and more than it shows at once. */
function isLong(extent: Extent | undefined): extent is Extent {
  return extent !== undefined && Deno.stderr.isTerminal() && extent.rows > Deno.consoleSize().rows;
}

if (import.meta.main) await runCommand(USAGE, publish);
