/** `deno task compare`: events, measured against HTTP calls, a queue each, and a direct exchange. */
import { loadavg } from "node:os";
import { UsageError } from "@ecomarket/shared/base/errors";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { circumstances } from "../report/circumstances.ts";
import { jsonBeside, requireWritable } from "../report/report_file.ts";
import { World } from "./fleet/world.ts";
import { DEFAULT_SECONDS, type Plan, QUICK_PLAN, standardPlan } from "./plan.ts";
import { figuresOf } from "./report/figures.ts";
import { jsonReport, markdownReport, textReport } from "./report/report.ts";
import { isOk } from "./report/verdict.ts";
import type { Comparison } from "./result.ts";
import { runComparison } from "./run.ts";

const USAGE = `
Usage: deno task compare [options]

Runs the users API and three ways not to build it, one after the other, on a
private broker: latency, outages, more subscribers, throughput, and what adding
a subscriber takes. About four minutes. Exit 1 when the users API loses an
event, refuses a signup because of a subscriber, or has to be changed for a new
one.

  --seconds N     of load behind each latency; more makes p99 steadier (default:
                  ${DEFAULT_SECONDS})
  --quick         a look whether all of it works, in a minute: not for quoting
  --json          print one object at the end, and nothing else on the standard
                  output
  --report FILE   write the tables and charts as Markdown, such as
                  docs/compare.md, and their figures beside it as JSON,
                  docs/compare.json
`;

interface Request {
  readonly plan: Plan;
  readonly json: boolean;
  readonly report: string | undefined;
}

function parse(args: readonly string[]): Request | undefined {
  const { values } = parseArguments(args, {
    seconds: { type: "string" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    report: { type: "string" },
  });
  if (values.help) return undefined;
  if (values.quick && values.seconds !== undefined) {
    throw new UsageError("--quick has its own times: leave --seconds or --quick out");
  }
  const seconds = wholeNumber("seconds", values.seconds, DEFAULT_SECONDS, { min: 2, max: 600 });
  return {
    plan: values.quick ? QUICK_PLAN : standardPlan(seconds),
    json: values.json ?? false,
    report: values.report,
  };
}

async function compare(
  plan: Plan,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Comparison> {
  const [loadBefore = 0] = loadavg();
  const startedAt = performance.now();
  const say = (line: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    printError(`${String(seconds).padStart(4)} s  ${line}`);
  };
  say("Starting a private broker …");
  await using broker = await startTestBroker();
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_compare_" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const where = await circumstances(new ManagementClient(broker.managementUrl));
  const world = cleanup.use(new World({ broker, directory, plan, signal, say }));
  const measured = await runComparison(world);
  return {
    ...measured,
    ...where,
    command: ["deno task compare", ...args].join(" "),
    plan,
    loadBefore,
    elapsedMs: Math.round(performance.now() - startedAt),
  };
}

/** n.b. killed between the two, a test finds that the Markdown is not what the figures make. */
async function writeReport(path: string, comparison: Comparison): Promise<void> {
  const figures = figuresOf(comparison);
  await Deno.writeTextFile(jsonBeside(path), JSON.stringify(figures, null, 2) + "\n");
  await Deno.writeTextFile(path, markdownReport(figures));
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const request = parse(args);
    if (!request) return print(USAGE.trim());
    const { report } = request;
    if (report) { for (const path of [report, jsonBeside(report)]) await requireWritable(path); }
    const comparison = await compare(request.plan, args, signal);
    if (report) await writeReport(report, comparison);
    print(request.json ? jsonReport(comparison) : textReport(comparison));
    return isOk(comparison) ? 0 : 1;
  });
}
