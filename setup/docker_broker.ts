/** The broker in Docker: what `docker-compose.yml` describes. */
import { fileURLToPath } from "node:url";
import { BrokerSetupError } from "@ecomarket/shared/errors";
import { lastLines, type ProgramResult, runProgram } from "./run_program.ts";

const COMPOSE_FILE = fileURLToPath(new URL("../docker-compose.yml", import.meta.url));

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
 * Creates the container if need be, starts it, and waits until it is healthy.
 *
 * @returns why it could not, or `undefined` when the broker runs.
 */
export async function composeUp(signal?: AbortSignal): Promise<string | undefined> {
  const up = await compose(["up", "-d", "--wait"], UP_TIMEOUT_MS, signal);
  return up.success ? undefined : `\`docker compose up\` failed:\n${lastLines(up.output)}`;
}

/**
 * Stops the container; its data stay in the volume.
 *
 * @throws {BrokerSetupError} when Docker could not.
 */
export async function composeStop(): Promise<void> {
  await composeOrThrow(["stop"]);
}

/**
 * Removes the container and the volume with its data.
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
  const all = ["compose", "--file", COMPOSE_FILE, ...args];
  const result = await runProgram("docker", all, { timeoutMs, signal });
  return result ?? { success: false, output: "docker is not installed" };
}
