/** `deno task bench`: this project beside every alternative, in turns on one private broker. */
import { loadavg } from "node:os";
import { basename } from "node:path";
import { UsageError } from "@ecomarket/shared/base/errors";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { circumstances } from "../report/circumstances.ts";
import { jsonBeside, requireWritable } from "../report/report_file.ts";
import { type Measurement, MEASUREMENTS, type Plan, QUICK_PLAN, STANDARD_PLAN } from "./plan.ts";
import { chart } from "./report/chart.ts";
import { type Figures, figuresOf } from "./report/figures.ts";
import { jsonReport, markdownReport, textReport } from "./report/report.ts";
import { runBench } from "./run.ts";
import { World } from "./world.ts";

const USAGE = `
Usage: deno task bench [options]

Measures this project beside every other client that could do its work, in turns
on one private broker: publishing, consuming, effects, whole processes, latency,
the users API, what a consumer costs, and how all of it grows. About ten
minutes. It needs a machine that does nothing else; read the ratios.

  --only A,B      of these alone: ${MEASUREMENTS.slice(0, 4).join(", ")},
                  ${MEASUREMENTS.slice(4).join(", ")}
  --runs N        turns of each contestant (default: ${STANDARD_PLAN.runs})
  --quick         a look whether all of it works, in a minute: not for quoting
  --json          print one object at the end, and nothing else on the standard
                  output: ratios, figures, targets and tables
  --report FILE   write it as Markdown, such as docs/performance.md, and beside
                  it its figures as .json and its chart as .svg
`;

interface Request {
  readonly plan: Plan;
  readonly wanted: ReadonlySet<Measurement>;
  readonly json: boolean;
  readonly report: string | undefined;
}

function parse(args: readonly string[]): Request | undefined {
  const { values } = parseArguments(args, {
    only: { type: "string" },
    runs: { type: "string" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    report: { type: "string" },
  });
  if (values.help) return undefined;
  const plan = values.quick ? QUICK_PLAN : STANDARD_PLAN;
  return {
    plan: { ...plan, runs: wholeNumber("runs", values.runs, plan.runs, { min: 1, max: 99 }) },
    wanted: wantedOf(values.only),
    json: values.json ?? false,
    report: values.report,
  };
}

function wantedOf(only: string | undefined): ReadonlySet<Measurement> {
  if (only === undefined) return new Set(MEASUREMENTS);
  return new Set(
    only.split(",").map((text) => {
      const name = MEASUREMENTS.find((known) => known === text.trim());
      if (name) return name;
      throw new UsageError(`--only: "${text}" is none of ${MEASUREMENTS.join(", ")}`);
    }),
  );
}

async function bench(
  { plan, wanted }: Request,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Figures> {
  const [loadBefore = 0] = loadavg();
  const startedAt = performance.now();
  const elapsedSeconds = () => Math.round((performance.now() - startedAt) / 1000);
  const say = (line: string) => printError(`${String(elapsedSeconds()).padStart(4)} s  ${line}`);
  say("Starting a private broker …");
  await using broker = await startTestBroker();
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_bench_" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  const { date, ...where } = await circumstances(new ManagementClient(broker.managementUrl));
  const measured = await runBench(new World({ broker, directory, plan, signal, say }), wanted);
  return figuresOf(measured, {
    ...where,
    command: ["deno task bench", ...args].join(" "),
    date: date.toISOString().slice(0, 10),
    runs: plan.runs,
    loadBefore,
    elapsedSeconds: elapsedSeconds(),
  });
}

/** n.b. killed between them, a test finds that the Markdown is not what the figures make. */
async function writeReport(path: string, figures: Figures): Promise<void> {
  const [json, svg] = besides(path);
  await Deno.writeTextFile(json, JSON.stringify(figures, null, 2) + "\n");
  await Deno.writeTextFile(svg, chart(figures));
  await Deno.writeTextFile(path, markdownReport(figures, basename(svg)));
}

/** The figures and the chart of the report `path`. */
function besides(path: string): [json: string, svg: string] {
  const json = jsonBeside(path);
  return [json, json.replace(/json$/, "svg")];
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const request = parse(args);
    if (!request) return print(USAGE.trim());
    const { report } = request;
    if (report) { for (const path of [report, ...besides(report)]) await requireWritable(path); }
    const figures = await bench(request, args, signal);
    if (report) await writeReport(report, figures);
    print(request.json ? jsonReport(figures) : textReport(figures));
  });
}
