/**
 * Installs RabbitMQ on Debian and Ubuntu, without the system-wide broker that the package would
 * start: that one listens on every address, takes port 5672, and knows only `guest`.
 */
import { PLATFORM } from "@ecomarket/shared/process/platform";
import { lastLines, type ProgramResult, runProgram } from "./run_program.ts";

/** How long each call of `apt-get` may take, in milliseconds: RabbitMQ is a download of about 60 MB. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** What the installation touches; tests give their own. */
export interface DebianOptions {
  /** @default "apt-get" */
  readonly aptGet?: string;
  /** @default "/usr/sbin/policy-rc.d" */
  readonly policyFile?: string;
  /** @default "systemctl" */
  readonly systemctl?: string;
  /** How long each call of `apt-get` may take. @default ten minutes */
  readonly timeoutMs?: number;
}

/** Why RabbitMQ cannot be installed here, or `undefined` when it can. */
export async function debianProblem(
  read: (name: string) => string | undefined,
): Promise<string | undefined> {
  if (PLATFORM !== "linux") return "it is not Debian or Ubuntu";
  if (read("BROKER_INSTALL") === "never") return "BROKER_INSTALL=never";
  if (Deno.uid() !== 0) return "only root may";
  const apt = await runProgram("apt-get", ["--version"], { timeoutMs: 5_000 });
  return apt ? undefined : "there is no apt-get";
}

/**
 * Installs the package `rabbitmq-server`.
 *
 * @returns why it could not, or `undefined` when RabbitMQ is installed.
 */
export async function installRabbitmq(options: DebianOptions = {}): Promise<string | undefined> {
  const { policyFile = "/usr/sbin/policy-rc.d", systemctl = "systemctl" } = options;
  using _held = await holdServices(policyFile);
  const problem = await installPackages(["rabbitmq-server"], options);
  if (problem) return problem;

  // Nor at the next boot. Where there is no systemd there is nothing to disable.
  await runProgram(systemctl, ["disable", "rabbitmq-server.service"], { timeoutMs: 30_000 });
  return undefined;
}

/**
 * Installs packages, and starts nothing else than they do.
 *
 * @returns why it could not, or `undefined` when they are installed.
 */
export async function installPackages(
  names: readonly string[],
  { aptGet = "apt-get", timeoutMs = INSTALL_TIMEOUT_MS }: Pick<
    DebianOptions,
    "aptGet" | "timeoutMs"
  > = {},
): Promise<string | undefined> {
  // n.b. no signal: an `apt-get` that is ended half-way leaves packages half-installed.
  const apt = (...args: string[]) =>
    runProgram(aptGet, args, {
      timeoutMs,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
  const update = await apt("update", "-q");
  if (!update?.success) return failure("update", update);
  const install = await apt("install", "-q", "-y", "--no-install-recommends", ...names);
  return install?.success ? undefined : failure(`install ${names.join(" ")}`, install);
}

function failure(what: string, result: ProgramResult | undefined): string {
  return `\`apt-get ${what}\` failed:\n${lastLines(result?.output ?? "apt-get is not there")}`;
}

/**
 * Keeps packages from starting RabbitMQ's services until disposed, through Debian's own switch for
 * it (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt). A switch that the
 * machine already has is left alone: whoever put it there decides.
 */
async function holdServices(policyFile: string): Promise<Disposable> {
  try {
    await Deno.writeTextFile(policyFile, policy(Deno.pid), { createNew: true, mode: 0o755 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return { [Symbol.dispose]: () => {} };
  }
  return { [Symbol.dispose]: () => Deno.removeSync(policyFile) };
}

/** Exit 101 forbids. It forbids nothing once `pid` is gone: left behind by a crash, it does no harm. */
function policy(pid: number): string {
  return `#!/bin/sh
# Put here by EcoMarket Events while it installs RabbitMQ. May be deleted.
kill -0 ${pid} 2>/dev/null || exit 0
case "$1" in
  rabbitmq-server* | epmd*) exit 101 ;;
esac
exit 0
`;
}
