/**
 * A RabbitMQ of another Debian release on this machine: a folder with that release's packages, and
 * scripts that run its programs in there.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { debianProblem, installPackages } from "@ecomarket/setup/machine/debian_install";
import { lastLines, runProgram } from "@ecomarket/setup/machine/run_program";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import type { Release } from "./releases.ts";

/**
 * How long `debootstrap` may take, in milliseconds: it downloads about 120 MB. With what `apt-get` may
 * take before it, a mirror that answers nothing is given up after five minutes.
 */
const DEBOOTSTRAP_TIMEOUT_MS = 4 * 60_000;
/** How long each call of `apt-get` may take, in milliseconds. */
const APT_TIMEOUT_MS = 30_000;

/** Where Debian's package puts the scripts that run a node. */
const SCRIPTS = "/usr/lib/rabbitmq/bin";

/**
 * The folder to give as `RABBITMQ_HOME`, made below `cache` where it is not there yet.
 *
 * @throws {BrokerSetupError} when this machine cannot run another release's programs.
 */
export async function brokerHome(
  { suite, series }: Release,
  cache: string,
  say: (line: string) => void,
): Promise<string> {
  await requireNamespaces();
  const root = join(cache, suite);
  if (!existsSync(join(root, SCRIPTS, "rabbitmq-server"))) {
    await requireDebootstrap(say);
    say(`Getting RabbitMQ ${series} from Debian ${suite} into ${root} (a minute) …`);
    await bootstrap(suite, root);
  }
  return await writeScripts(root);
}

/** What {@link writeScripts} has the programs do, done to nobody. */
const MOUNTS = "mount -t proc proc /proc && mount --rbind /dev /dev && chroot / true";

async function requireNamespaces(): Promise<void> {
  const refused = await debianProblem(() => undefined);
  const mounted = refused
    ? undefined
    : await run("unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS);
  if (mounted?.success) return;
  const reason = refused ?? `\`unshare --mount\` may not mount (${mounted?.output ?? "not there"})`;
  throw new BrokerSetupError(
    `Other versions of RabbitMQ cannot be run here: ${reason}. Run this as root on Debian or ` +
      "Ubuntu, outside of a container or in a privileged one.",
  );
}

async function requireDebootstrap(say: (line: string) => void): Promise<void> {
  if (await run("debootstrap", "--version")) return;
  say("Installing debootstrap with apt-get …");
  const problem = await installPackages(["debootstrap"], { timeoutMs: APT_TIMEOUT_MS });
  if (problem) throw new BrokerSetupError(`debootstrap is needed, and not installable: ${problem}`);
}

async function bootstrap(suite: string, root: string): Promise<void> {
  // Under another name until it is whole: what a killed run leaves behind is begun anew.
  const partial = `${root}.partial`;
  await Deno.remove(partial, { recursive: true }).catch(() => {});
  await Deno.mkdir(partial, { recursive: true });
  const args = ["--variant=minbase", "--include=rabbitmq-server", suite, partial];
  const startedAt = performance.now();
  // n.b. it is a script: where it alone is ended, its download goes on, and is waited for.
  const made = await runProgram(
    "timeout",
    ["--kill-after=5", String(DEBOOTSTRAP_TIMEOUT_MS / 1_000), "debootstrap", ...args],
    { timeoutMs: DEBOOTSTRAP_TIMEOUT_MS + 10_000 },
  );
  if (!made?.success) {
    const overdue = performance.now() - startedAt >= DEBOOTSTRAP_TIMEOUT_MS;
    const within = overdue ? ` within ${DEBOOTSTRAP_TIMEOUT_MS / 60_000} minutes` : "";
    throw new BrokerSetupError(
      `debootstrap could not get Debian ${suite}${within}:\n` +
        lastLines(made?.output ?? "there is no `timeout`"),
    );
  }
  // n.b. a node asks for the address of its own name, and hangs where nobody knows it.
  await Deno.writeTextFile(join(partial, "etc", "hosts"), "127.0.0.1 localhost\n::1 localhost\n");
  await Deno.rename(partial, root);
}

/**
 * A script for each of RabbitMQ's. It mounts what the program needs in a namespace that is the
 * program's own, so that nothing stays mounted, however it ends; and it becomes the program, so that
 * its pid is the node's.
 */
async function writeScripts(root: string): Promise<string> {
  const home = `${root}-home`;
  await Deno.mkdir(join(home, "sbin"), { recursive: true });
  const shared = [...new Set([tmpdir(), PROJECT_ROOT])];
  for (const folder of shared) await Deno.mkdir(join(root, folder), { recursive: true });
  const mounts = [
    `mount -t proc proc '${root}/proc'`,
    ...["/dev", ...shared].map((folder) => `mount --rbind '${folder}' '${root}${folder}'`),
    `exec chroot '${root}' /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"`,
  ];
  for await (const { name } of Deno.readDir(join(root, SCRIPTS))) {
    const script = [
      "#!/bin/sh",
      `set -- ${SCRIPTS}/${name} "$@"`,
      `exec unshare --mount --propagation private /bin/sh -ec '`,
      ...mounts.map((line) => line.replaceAll("'", `'\\''`)),
      `' sh "$@"`,
      "",
    ];
    await Deno.writeTextFile(join(home, "sbin", name), script.join("\n"), { mode: 0o755 });
  }
  return home;
}

function run(program: string, ...args: readonly string[]) {
  return runProgram(program, args, { timeoutMs: 10_000 });
}
