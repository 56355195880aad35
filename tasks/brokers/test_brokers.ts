/** `deno task test:brokers`: the project's own tests on each RabbitMQ that Debian packages. */
import { join } from "node:path";
import { BrokerSetupError, UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { runProgram } from "@ecomarket/setup/machine/run_program";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { thisMachine } from "../report/circumstances.ts";
import { requireWritable } from "../report/report_file.ts";
import { brokerHome } from "./broker_home.ts";
import { type Release, RELEASES } from "./releases.ts";
import { type BrokersRun, markdownReport, textReport } from "./report.ts";
import { areOk, outcomeOf, type Trial, type TrialResult, TRIALS } from "./trials.ts";

const DEFAULT_CACHE = "/var/cache/ecomarket-brokers";

const series = RELEASES.map((release) => release.series).join(", ");
const trialNames = TRIALS.map(({ name }) => name).join(", ");

const USAGE = `
Usage: deno task test:brokers [options]

Runs the project's tests on each version of RabbitMQ that Debian packages:
${series}. Each is put into a folder of its own, with its Erlang,
and nothing is installed on this machine but debootstrap. Needs Linux, apt-get
and root.

  --only A,B     these versions only
  --trials A,B   these trials only: ${trialNames}
  --cache DIR    where the versions are kept, about 400 MB each
                 (default: ${DEFAULT_CACHE})
  --report FILE  write the table as Markdown
`;

interface Request {
  readonly releases: readonly Release[];
  readonly trials: readonly Trial[];
  readonly cache: string;
  readonly report: string | undefined;
}

function parse(args: readonly string[]): Request | undefined {
  const { values } = parseArguments(args, {
    only: { type: "string" },
    trials: { type: "string" },
    cache: { type: "string" },
    report: { type: "string" },
  });
  if (values.help) return undefined;
  return {
    releases: chosen("only", values.only, RELEASES, (release) => release.series),
    trials: chosen("trials", values.trials, TRIALS, ({ name }) => name),
    cache: values.cache ?? DEFAULT_CACHE,
    report: values.report,
  };
}

/** Those of `all` whose names are in `text`, in their own order. */
function chosen<T>(
  option: string,
  text: string | undefined,
  all: readonly T[],
  nameOf: (one: T) => string,
): readonly T[] {
  if (text === undefined) return all;
  const names = text.split(",").map((name) => name.trim());
  const known = all.map(nameOf);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return all.filter((one) => names.includes(nameOf(one)));
  throw new UsageError(`--${option} knows ${known.join(", ")}, not "${unknown}"`);
}

/** Runs `trial` on the RabbitMQ in `home`, and shows what it prints. */
async function runTrial(trial: Trial, home: string, signal: AbortSignal): Promise<TrialResult> {
  const startedAt = performance.now();
  const [, ...args] = trial.command.split(" ");
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: PROJECT_ROOT,
    env: { RABBITMQ_HOME: home },
    stdin: "null",
    stdout: "piped",
    signal,
  }).spawn();
  const [shown, kept] = child.stdout.tee();
  const [output] = await Promise.all([
    new Response(kept).text(),
    shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
  ]);
  const { success } = await child.status;
  signal.throwIfAborted();
  return {
    name: trial.name,
    isOk: success,
    outcome: outcomeOf(trial, output),
    elapsedMs: performance.now() - startedAt,
  };
}

async function versionIn(home: string): Promise<string> {
  const asked = await runProgram(join(home, "sbin", "rabbitmqctl"), ["version"], {
    timeoutMs: 30_000,
  });
  const version = asked?.success ? asked.stdout.trim() : undefined;
  if (version) return version;
  throw new BrokerSetupError(
    `The RabbitMQ in ${home} does not run:\n${asked?.output}\nRemove its folder, then try again.`,
  );
}

async function runAll(
  request: Request,
  args: readonly string[],
  signal: AbortSignal,
): Promise<BrokersRun> {
  const { releases, trials, cache } = request;
  const results = [];
  for (const release of releases) {
    const home = await brokerHome(release, cache, printError);
    const version = await versionIn(home);
    const done: TrialResult[] = [];
    for (const trial of trials) {
      printError(`RabbitMQ ${version}: ${trial.command}`);
      done.push(await runTrial(trial, home, signal));
    }
    results.push({ suite: release.suite, version, trials: done });
  }
  return {
    command: ["deno task test:brokers", ...args].join(" "),
    date: new Date(),
    deno: Deno.version.deno,
    machine: thisMachine(),
    results,
  };
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const request = parse(args);
    if (!request) return print(USAGE.trim());
    await requireWritable(request.report);
    const run = await runAll(request, args, signal);
    if (request.report) await Deno.writeTextFile(request.report, markdownReport(run));
    print(textReport(run));
    return areOk(run.results) ? 0 : 1;
  });
}
