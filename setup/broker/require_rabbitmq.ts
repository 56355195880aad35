/** RabbitMQ's own programs, for whoever starts private nodes: installed first where that is allowed. */
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { PLATFORM } from "@ecomarket/shared/process/platform";
import { debianProblem, installRabbitmq } from "../machine/debian_install.ts";
import { findRabbitmqServer } from "../machine/find_rabbitmq.ts";
import { hasProgram, installAdvice } from "../machine/install_advice.ts";
import { installOnce } from "../machine/install_lock.ts";

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
  const problem = await installOnce({
    isInstalled: () => findRabbitmqServer() !== undefined,
    install: () => installWhereAllowed(options),
    say: options.say,
  });
  if (problem === undefined) return;
  throw new BrokerSetupError(
    `Private brokers need RabbitMQ: it is not installed, and not installable here: ${problem}\n` +
      `Run this, then try again: ${installAdvice(PLATFORM, hasProgram)}`,
  );
}
