/** `deno task test:brokers`: the project's own tests on each RabbitMQ that Debian packages. */
import { join } from "node:path";
import { BrokerSetupError, messageOf, UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { runProgram } from "@ecomarket/setup/machine/run_program";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { thisMachine } from "../report/circumstances.ts";
import { requireWritable } from "../report/report_file.ts";
import { brokerHome } from "./broker_home.ts";
import { type Release, RELEASES } from "./releases.ts";
import { markdownReport, textReport } from "./report.ts";
import { keepResult, keptResults, type TrialResult } from "./results.ts";
import { outcomeOf, type Trial, TRIALS } from "./trials.ts";

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
  --cache DIR    where the versions are kept, about 400 MB each, and the last
                 result of each trial (default: ${DEFAULT_CACHE})
  --report FILE  write all results that are kept there, as Markdown
  --if-possible  leave out, with one line, what cannot be run on this machine
`;

interface Request {
  readonly releases: readonly Release[];
  readonly trials: readonly Trial[];
  readonly cache: string;
  readonly report: string | undefined;
  readonly ifPossible: boolean;
}

function parse(args: readonly string[]): Request | undefined {
  const { values } = parseArguments(args, {
    only: { type: "string" },
    trials: { type: "string" },
    cache: { type: "string" },
    report: { type: "string" },
    "if-possible": { type: "boolean" },
  });
  if (values.help) return undefined;
  return {
    releases: chosen("only", values.only, RELEASES, (release) => release.series),
    trials: chosen("trials", values.trials, TRIALS, ({ name }) => name),
    cache: values.cache ?? DEFAULT_CACHE,
    report: values.report,
    ifPossible: values["if-possible"] ?? false,
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
async function runTrial(
  trial: Trial,
  home: string,
  signal: AbortSignal,
): Promise<Pick<TrialResult, "trial" | "isOk" | "outcome" | "elapsedMs">> {
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
    trial: trial.name,
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

/** The commit of this folder. */
async function commit(): Promise<string> {
  const args = ["-C", PROJECT_ROOT, "describe", "--always", "--dirty", "--exclude=*"];
  const described = await runProgram("git", args, { timeoutMs: 30_000 });
  return described?.success ? described.stdout.trim() : "unknown";
}

/** The folder to give as `RABBITMQ_HOME`; `undefined` where there is none, and there need not be. */
async function homeOf(
  release: Release,
  { cache, ifPossible }: Request,
): Promise<string | undefined> {
  try {
    return await brokerHome(release, cache, printError);
  } catch (error) {
    if (!ifPossible || !(error instanceof BrokerSetupError)) throw error;
    const reason = messageOf(error).replaceAll(/\s*\n\s*/g, " ");
    printError(`Left out: RabbitMQ ${release.series}. ${reason}`);
    return undefined;
  }
}

/** Runs what is asked for, and keeps the result of each trial as it ends. */
async function runAll(request: Request, signal: AbortSignal): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  for (const release of request.releases) {
    const home = await homeOf(release, request);
    if (home === undefined) continue;
    const version = await versionIn(home);
    for (const trial of request.trials) {
      printError(`RabbitMQ ${version}: ${trial.command}`);
      const circumstances = {
        version,
        suite: release.suite,
        commit: await commit(),
        date: new Date(),
        deno: Deno.version.deno,
      };
      const result = { ...await runTrial(trial, home, signal), ...circumstances };
      await keepResult(request.cache, result);
      results.push(result);
    }
  }
  return results;
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const request = parse(args);
    if (!request) return print(USAGE.trim());
    await requireWritable(request.report);
    const results = await runAll(request, signal);
    if (request.report) {
      const kept = await keptResults(request.cache);
      await Deno.writeTextFile(request.report, markdownReport(kept, thisMachine()));
    }
    if (results.length > 0) print(textReport(results));
    return results.every(({ isOk }) => isOk) ? 0 : 1;
  });
}
