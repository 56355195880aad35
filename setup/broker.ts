/**
 * Makes sure that there is a broker: takes the one that is there, else starts one by the first way
 * that this machine offers. The ways are a ladder, tried from the least work to the most.
 */
import { BrokerSetupError } from "@ecomarket/shared/errors";
import {
  type Broker,
  type BrokerKind,
  type BrokerOptions,
  brokerSettings,
} from "./broker_options.ts";
import { lockBroker } from "./broker_record.ts";
import { localBroker, namedBroker, recordedBroker } from "./found_broker.ts";
import { hasProgram, installAdvice } from "./install_advice.ts";
import { dockerBroker, privateBroker } from "./started_broker.ts";

export type { Broker, BrokerKind, BrokerOptions };
export { resetBroker, stopBroker } from "./stop_broker.ts";

/**
 * A broker that answers, found or started: what `AMQP_URL` names; else the one that we started
 * earlier; else one on localhost:5672 with the workshop's credentials; else Docker's; else a private
 * node of the installed RabbitMQ, which is installed first on Debian and Ubuntu as root
 * (`BROKER_DOCKER=never` and `BROKER_INSTALL=never` leave a rung out).
 *
 * Commands that run this at the same time wait for each other, and take the same broker.
 *
 * @throws {BrokerUnreachableError} when `AMQP_URL` names a broker that does not answer.
 * @throws {AccessRefusedError} when the broker of `AMQP_URL` refuses its credentials.
 * @throws {BrokerSetupError} when there is none and none could be started: with what to run.
 */
export async function ensureBroker(options: BrokerOptions = {}): Promise<Broker> {
  const settings = brokerSettings(options);
  const broker = settings.read("AMQP_URL")
    ? await namedBroker(settings)
    : await findOrStart(settings);
  settings.say(`Broker: RabbitMQ ${broker.version}, ${ORIGINS[broker.kind]}.`);
  return broker;
}

/**
 * The broker that {@link ensureBroker} would find without starting one, or `undefined`.
 *
 * @throws {BrokerUnreachableError} when `AMQP_URL` names a broker that does not answer.
 * @throws {AccessRefusedError} when the broker of `AMQP_URL` refuses its credentials.
 */
export async function findBroker(options: BrokerOptions = {}): Promise<Broker | undefined> {
  const settings = brokerSettings(options);
  if (settings.read("AMQP_URL")) return await namedBroker(settings);
  return await recordedBroker(settings) ?? await localBroker(settings);
}

/** Each kind of broker, in words. */
export const ORIGINS: Readonly<Record<BrokerKind, string>> = {
  AMQP_URL: "named by AMQP_URL",
  private: "our private node",
  docker: "our Docker container",
  local: "already running on this machine",
};

async function findOrStart(settings: ReturnType<typeof brokerSettings>): Promise<Broker> {
  using _lock = await lockBroker(settings.directory, settings.say, settings.signal);
  const found = await recordedBroker(settings) ?? await localBroker(settings);
  if (found) return found;

  const reasons: string[] = [];
  for (const rung of [dockerBroker, privateBroker]) {
    const outcome = await rung(settings);
    if (typeof outcome !== "string") return outcome;
    reasons.push(`  - ${outcome}`);
  }
  throw new BrokerSetupError(
    `Cannot find or start a broker:\n${reasons.join("\n")}\n` +
      `Run this, then try again: ${installAdvice(Deno.build.os, hasProgram)}`,
  );
}
