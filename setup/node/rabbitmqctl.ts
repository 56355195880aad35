/** `rabbitmqctl` for a private node. */
import { dirname, join } from "node:path";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { IS_WINDOWS } from "@ecomarket/shared/process/platform";
import { findRabbitmqServer } from "../machine/find_rabbitmq.ts";
import { lastLines, runProgram } from "../machine/run_program.ts";
import { nodeEnvironment, type NodeSpec } from "./node_files.ts";
import { inheritedVariables } from "./node_process.ts";

/** Longer than anything that it is asked for here takes: a node that joins a cluster takes seconds. */
const TIMEOUT_MS = 60_000;

/**
 * Runs the `rabbitmqctl` that belongs to the installed server, in the environment of the node.
 *
 * @returns what it printed.
 * @throws {BrokerSetupError} when it fails or is not done within a minute: with its last words.
 */
export async function rabbitmqctl(spec: NodeSpec, args: readonly string[]): Promise<string> {
  const server = findRabbitmqServer();
  if (!server) throw new BrokerSetupError("Cannot run rabbitmqctl: RabbitMQ is not installed");
  const script = IS_WINDOWS ? "rabbitmqctl.bat" : "rabbitmqctl";
  const result = await runProgram(join(dirname(server), script), args, {
    timeoutMs: TIMEOUT_MS,
    env: nodeEnvironment(spec, inheritedVariables()),
    clearEnv: true,
  });
  if (result?.success) return result.stdout;
  throw new BrokerSetupError(
    `\`rabbitmqctl ${args.join(" ")}\` failed on ${spec.name}:\n` +
      lastLines(result?.output ?? `${script} is not beside ${server}`),
  );
}
