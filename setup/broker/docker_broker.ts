/** The broker in Docker: what `docker-compose.yml` describes. */
import { fileURLToPath } from "node:url";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { lastLines, type ProgramResult, runProgram } from "../machine/run_program.ts";

const COMPOSE_FILE = fileURLToPath(new URL("../../docker-compose.yml", import.meta.url));

/** The services of one node and of a cluster, and the ports where they listen on the loopback. */
export const COMPOSED = {
  1: { services: ["rabbitmq"], amqp: [5672], management: [15672] },
  3: {
    services: ["rabbit-1", "rabbit-2", "rabbit-3"],
    amqp: [5673, 5674, 5675],
    management: [15673, 15674, 15675],
  },
} as const;

/** A first start downloads the image. */
const UP_TIMEOUT_MS = 10 * 60_000;
const DOWN_TIMEOUT_MS = 2 * 60_000;

/**
 * Why Docker cannot be used here, or `undefined` when it can. The client of a daemon that is down or
 * far away may wait for long: each of two questions is given `timeoutMs`.
 *
 * @param timeoutMs @default 5000
 * @param program the Docker client. @default "docker"
 */
export async function dockerProblem(
  timeoutMs = 5_000,
  program = "docker",
): Promise<string | undefined> {
  const daemon = await runProgram(program, ["version", "--format", "{{.Server.Version}}"], {
    timeoutMs,
  });
  if (!daemon) return "it is not installed";
  if (!daemon.success) return "its daemon does not answer (is Docker running?)";
  const compose = await runProgram(program, ["compose", "version"], { timeoutMs });
  return compose?.success ? undefined : "it has no `docker compose`";
}

/**
 * Creates the containers of `services` if need be, starts them, and waits until they are healthy.
 *
 * @returns why it could not, or `undefined` when the broker runs.
 */
export async function composeUp(
  services: readonly string[],
  signal?: AbortSignal,
): Promise<string | undefined> {
  const up = await compose(["up", "-d", "--wait", ...services], UP_TIMEOUT_MS, signal);
  return up.success ? undefined : `\`docker compose up\` failed:\n${lastLines(up.output)}`;
}

/**
 * Stops the containers; their data stay in the volumes.
 *
 * @throws {BrokerSetupError} when Docker could not.
 */
export async function composeStop(): Promise<void> {
  await composeOrThrow(["stop"]);
}

/**
 * Removes the containers and the volumes with their data.
 *
 * @throws {BrokerSetupError} when Docker could not.
 */
export async function composeReset(): Promise<void> {
  await composeOrThrow(["down", "--volumes"]);
}

async function composeOrThrow(args: readonly string[]): Promise<void> {
  const { success, output } = await compose(args, DOWN_TIMEOUT_MS);
  if (success) return;
  throw new BrokerSetupError(`\`docker compose ${args.join(" ")}\` failed:\n${lastLines(output)}`);
}

async function compose(
  args: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ProgramResult> {
  const all = ["compose", "--file", COMPOSE_FILE, "--profile", "cluster", ...args];
  const result = await runProgram("docker", all, { timeoutMs, signal });
  return result ?? { success: false, stdout: "", output: "docker is not installed" };
}
