/** `deno task setup-queues` as a person runs it, in its sandbox. */
import type { VhostBroker } from "@ecomarket/testbed/broker/test_broker";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";
import { TEST_DELAYS_MS } from "./bench.ts";

const COMMAND = ["run", "-q", "-P=setup-queues", "setup/queues/setup_queues.ts"];

function environment(broker: Pick<VhostBroker, "managementUrl">, amqpUrl: string) {
  return {
    AMQP_URL: amqpUrl,
    MANAGEMENT_URL: broker.managementUrl,
    RETRY_DELAYS_MS: TEST_DELAYS_MS.join(","),
  };
}

/** Runs the command against the virtual host of `amqpUrl`, to its end. */
export function setupQueues(
  broker: Pick<VhostBroker, "managementUrl">,
  amqpUrl: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runDeno([...COMMAND, ...args], { ...environment(broker, amqpUrl), ...env });
}

/** Starts the command, for a test that kills it. */
export function startSetupQueues(
  broker: Pick<VhostBroker, "managementUrl">,
  amqpUrl: string,
  args: readonly string[],
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...COMMAND, ...args],
    cwd: PROJECT_ROOT,
    env: environment(broker, amqpUrl),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}
