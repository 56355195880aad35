/** `deno task bench`: this project beside every alternative, in turns on one private broker. */
import { loadavg } from "node:os";
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { type Measurement, MEASUREMENTS, type Plan, QUICK_PLAN, STANDARD_PLAN } from "./plan.ts";
import type { Measured } from "./result.ts";
import { runBench } from "./run.ts";
import { World } from "./world.ts";

const USAGE = `usage`;

interface Request {
  readonly plan: Plan;
  readonly wanted: ReadonlySet<Measurement>;
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

async function bench({ plan, wanted }: Request, signal: AbortSignal): Promise<Measured> {
  const startedAt = performance.now();
  const say = (line: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    printError(`${String(seconds).padStart(4)} s  ${line}`);
  };
  say(`Starting a private broker (load ${loadavg()[0]})…`);
  await using broker = await startTestBroker();
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_bench_" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(directory, { recursive: true }));
  return await runBench(new World({ broker, directory, plan, signal, say }), wanted);
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const request = parse(args);
    if (!request) return print(USAGE.trim());
    print(JSON.stringify(await bench(request, signal), null, 1));
  });
}
