/**
 * Makes sure that there is a broker: takes the one that is there, else starts one by the first way
 * that this machine offers. The ways are a ladder, tried from the least work to the most.
 */
import { BrokerSetupError, ConfigError } from "@ecomarket/shared/base/errors";
import { managementUrl } from "@ecomarket/shared/process/config";
import { PLATFORM } from "@ecomarket/shared/process/platform";
import { hasProgram, installAdvice } from "../machine/install_advice.ts";
import { CLUSTER_SIZE } from "../node/private_cluster.ts";
import {
  type Broker,
  type BrokerKind,
  type BrokerOptions,
  type BrokerSettings,
  brokerSettings,
  type BrokerSize,
} from "./broker_options.ts";
import { lockBroker } from "./broker_record.ts";
import { localBroker, namedBroker, recordedBroker } from "./found_broker.ts";
import { hasTls, runningPrivateBroker } from "./private_broker.ts";
import { startDockerBroker, startMissingNodes, startPrivateBroker } from "./started_broker.ts";

export type { Broker, BrokerKind, BrokerOptions, BrokerSize };
export { resetBroker, stopBroker } from "./stop_broker.ts";

/**
 * A broker that answers, found or started: what `AMQP_URL` names; else the one that we started
 * earlier, where nodes of a cluster that are gone are started again; else one on localhost:5672 with
 * the workshop's credentials; else Docker's; else a private one of the installed RabbitMQ, which is
 * installed first on Debian and Ubuntu as root (`BROKER_DOCKER=never` and `BROKER_INSTALL=never`
 * leave a rung out).
 *
 * Commands that run this at the same time wait for each other, and take the same broker.
 *
 * @throws {ConfigError} when `AMQP_URL` or `MANAGEMENT_URL` is malformed, or `AMQP_URL` is set and a
 * size or TLS is asked for: that broker is not ours.
 * @throws {BrokerUnreachableError} when `AMQP_URL` names a broker that does not answer.
 * @throws {AccessRefusedError} when the broker of `AMQP_URL` refuses its credentials.
 * @throws {BrokerSetupError} when there is none and none could be started, or the one that we
 * started has another size or no TLS: with what to run.
 */
export async function ensureBroker(options: BrokerOptions = {}): Promise<Broker> {
  const settings = brokerSettings(options);
  managementUrl(settings.read); // What cannot be used is told before anything is started.
  const isNamed = Boolean(settings.read("AMQP_URL"));
  if (isNamed && settings.size) {
    throw new ConfigError(
      `Cannot start a broker of ${nodes(settings.size)}: AMQP_URL names one that is not ours. ` +
        "Unset AMQP_URL to start one",
    );
  }
  if (isNamed && settings.tls) {
    throw new ConfigError(
      "Cannot start a broker with TLS: AMQP_URL names one that is not ours. " +
        "Unset AMQP_URL to start one, or write amqps:// in it where that broker speaks TLS",
    );
  }
  const broker = await (isNamed ? namedBroker(settings) : findOrStart(settings));
  settings.say(`Broker: RabbitMQ ${broker.version}, ${ORIGINS[broker.kind]}.`);
  return broker;
}

/**
 * The broker that {@link ensureBroker} would find without starting one, or `undefined`.
 *
 * @throws {ConfigError} when `AMQP_URL` or `MANAGEMENT_URL` is malformed.
 * @throws {BrokerUnreachableError} when `AMQP_URL` names a broker that does not answer.
 * @throws {AccessRefusedError} when the broker of `AMQP_URL` refuses its credentials.
 */
export async function findBroker(options: BrokerOptions = {}): Promise<Broker | undefined> {
  const settings = brokerSettings(options);
  managementUrl(settings.read);
  if (settings.read("AMQP_URL")) return await namedBroker(settings);
  return await recordedBroker(settings) ?? await localBroker(settings);
}

/** Each kind of broker, in words. */
export const ORIGINS: Readonly<Record<BrokerKind, string>> = {
  AMQP_URL: "named by AMQP_URL",
  private: "our private broker",
  docker: "our Docker container",
  local: "already running on this machine",
};

function nodes(count: number): string {
  return count === 1 ? "one node" : `${count} nodes`;
}

async function findOrStart(settings: BrokerSettings): Promise<Broker> {
  const { directory, say, signal, size, tls } = settings;
  using _lock = await lockBroker(directory, say, signal);
  const running = await runningPrivateBroker(directory);
  const recorded = await recordedBroker(settings);
  const actual = (running ?? recorded)?.amqpUrls.length;
  if (size && actual && actual !== size) {
    throw new BrokerSetupError(
      `Cannot start a broker of ${nodes(size)}: one of ours with ${nodes(actual)} is running. ` +
        "Run this first (its data are kept): deno task broker stop",
    );
  }
  const isOther = running ? !hasTls(running) : recorded !== undefined;
  if (tls && isOther) {
    throw new BrokerSetupError(
      "Cannot start a broker with TLS: one of ours without it is running. " +
        "Run this first (its data are kept): deno task broker stop",
    );
  }
  if (recorded) {
    if (running) await startMissingNodes(running, settings);
    return recorded;
  }
  // A broker of one node may be anybody's; a cluster or a CA that was asked for is ours.
  const local = running || tls || size === CLUSTER_SIZE ? undefined : await localBroker(settings);
  if (local) return local;

  const reasons: string[] = [];
  for (
    const rung of running || tls ? [startPrivateBroker] : [startDockerBroker, startPrivateBroker]
  ) {
    const outcome = await rung(settings);
    if (typeof outcome !== "string") return outcome;
    reasons.push(`  - ${outcome}`);
  }
  throw new BrokerSetupError(
    `Cannot find or start a broker:\n${reasons.join("\n")}\n` +
      `Run this, then try again: ${installAdvice(PLATFORM, hasProgram)}`,
  );
}
