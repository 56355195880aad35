/** The way back: stops, and on request empties, the broker that we started. Nobody else's. */
import { ConfigError, ignoreNotFound } from "@ecomarket/shared/base/errors";
import { credentialsDir } from "@ecomarket/shared/process/credentials_file";
import { type BrokerKind, type BrokerOptions, brokerSettings } from "./broker_options.ts";
import { lockBroker, readRecord, removeRecord } from "./broker_record.ts";
import { removeDevelopmentCa } from "./development_ca.ts";
import { composeReset, composeStop, dockerProblem } from "./docker_broker.ts";
import { described, privateBrokers, runningPrivateBroker } from "./private_broker.ts";

/**
 * Stops the broker that we started, in this process or an earlier one. Its data are kept.
 *
 * @returns what was stopped; `undefined` when nothing of ours ran.
 */
export async function stopBroker(options: BrokerOptions = {}): Promise<BrokerKind | undefined> {
  const { directory, say } = brokerSettings(options);
  using _lock = await lockBroker(directory, say);
  // The nodes themselves are asked, not the record: a command that was killed may have left none.
  const running = await runningPrivateBroker(directory);
  const record = await readRecord(directory);
  for (const broker of await privateBrokers(directory)) await broker.stop();
  if (record?.kind === "docker") await composeStop();
  await removeRecord(directory);
  return record?.kind === "docker" ? "docker" : running ? "private" : undefined;
}

/**
 * Stops the broker that we started and deletes its data: the private brokers' folders and
 * certificates, and the volumes of `docker-compose.yml` where Docker is at hand.
 *
 * @returns what was deleted, in words; empty when there was nothing.
 * @throws {ConfigError} when `AMQP_URL` is set: that broker is not ours to empty.
 */
export async function resetBroker(options: BrokerOptions = {}): Promise<readonly string[]> {
  const { directory, say, read } = brokerSettings(options);
  if (read("AMQP_URL")) {
    throw new ConfigError(
      "Cannot reset the broker of AMQP_URL: it is not ours. Unset AMQP_URL to reset the one that we started",
    );
  }
  using _lock = await lockBroker(directory, say);
  const deleted: string[] = [];
  for (const broker of await privateBrokers(directory)) {
    await broker.reset();
    deleted.push(`${described(broker)} in ${directory}`);
  }
  if (read("BROKER_DOCKER") !== "never" && await dockerProblem() === undefined) {
    await composeReset();
    deleted.push("the Docker containers and their volumes");
  }
  await removeRecord(directory);
  await removeDevelopmentCa(directory);
  // The users went with the broker's data: no role shall try to be one of them.
  if (deleted.length > 0) {
    await Deno.remove(credentialsDir(directory), { recursive: true }).catch(ignoreNotFound);
  }
  return deleted;
}
