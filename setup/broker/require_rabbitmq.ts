/** RabbitMQ's own programs, for whoever starts private nodes: installed first where that is allowed. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrokerSetupError, ignoreNotFound } from "@ecomarket/shared/base/errors";
import { PLATFORM } from "@ecomarket/shared/process/platform";
import { debianProblem, installRabbitmq } from "../machine/debian_install.ts";
import { findRabbitmqServer } from "../machine/find_rabbitmq.ts";
import { hasProgram, installAdvice } from "../machine/install_advice.ts";
import { lockBroker } from "./broker_record.ts";

/** What {@link installWhereAllowed} needs to know. */
export interface InstallOptions {
  /** The environment: `BROKER_INSTALL=never` forbids it. */
  readonly read: (name: string) => string | undefined;
  readonly say: (line: string) => void;
}

/**
 * Installs RabbitMQ on Debian and Ubuntu, as root, unless that is forbidden.
 *
 * @returns why it is not installed now, or nothing.
 */
export async function installWhereAllowed(
  { read, say }: InstallOptions,
): Promise<string | undefined> {
  const problem = await debianProblem(read);
  if (problem) return problem;
  say(
    "Installing rabbitmq-server with apt-get (a minute or two; BROKER_INSTALL=never forbids it).",
  );
  const failure = await installRabbitmq();
  if (failure) return failure;
  if (findRabbitmqServer()) return undefined;
  throw new BrokerSetupError("apt-get installed rabbitmq-server, and the program is not there");
}

/**
 * Makes sure that private nodes can be started here. Programs that ask at the same time wait for one
 * installation.
 *
 * @throws {BrokerSetupError} when RabbitMQ is not installed and cannot be: with what to run.
 */
export async function requireRabbitmq(options: InstallOptions): Promise<void> {
  const lockDir = join(tmpdir(), "ecomarket_install");
  // n.b. while another process installs it, the script is there before RabbitMQ can run.
  const isUnderWay = await Deno.stat(lockDir).catch(ignoreNotFound);
  if (findRabbitmqServer() && !isUnderWay) return;
  using _lock = await lockFolder(lockDir, options.say);
  const problem = findRabbitmqServer() ? undefined : await installWhereAllowed(options);
  // Whoever waits for the lock has its file open: it finds RabbitMQ installed, or the same problem.
  await Deno.remove(lockDir, { recursive: true }).catch(() => {});
  if (problem === undefined) return;
  throw new BrokerSetupError(
    `Private brokers need RabbitMQ: it is not installed, and not installable here: ${problem}\n` +
      `Run this, then try again: ${installAdvice(PLATFORM, hasProgram)}`,
  );
}

/** The lock of a folder that whoever held it before may remove at any moment. */
async function lockFolder(path: string, say: (line: string) => void): Promise<Disposable> {
  try {
    return await lockBroker(path, say);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await lockFolder(path, say);
  }
}
