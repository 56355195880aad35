/**
 * The rungs that start a broker: Docker's, a private node of the installed RabbitMQ, and the
 * installation that makes the latter possible. Each returns the broker, or says why it has none.
 */
import { DEV_PASSWORD, DEV_USER } from "@ecomarket/shared/config";
import { BrokerSetupError } from "@ecomarket/shared/errors";
import { type Broker, type BrokerSettings, USUAL_PORTS } from "./broker_options.ts";
import { type BrokerRecord, writeRecord } from "./broker_record.ts";
import { debianProblem, installRabbitmq } from "./debian_install.ts";
import { composeUp, dockerProblem } from "./docker_broker.ts";
import { findRabbitmqServer } from "./find_rabbitmq.ts";
import { isPortFree } from "./free_ports.ts";
import { preparePrivateBroker } from "./private_broker.ts";
import { probeBroker } from "./probe_broker.ts";
import { stopBroker } from "./stop_broker.ts";

/** A broker, or the reason why this rung has none. */
export type Rung = Broker | string;

/** Docker's broker. It listens on the usual ports only. */
export async function dockerBroker(settings: BrokerSettings): Promise<Rung> {
  const { read, say, signal } = settings;
  if (read("BROKER_DOCKER") === "never") return "Docker: BROKER_DOCKER=never";
  const problem = await dockerProblem();
  if (problem) return `Docker: ${problem}`;
  for (const port of [USUAL_PORTS.amqp, USUAL_PORTS.management]) {
    if (!await isPortFree(port)) return `Docker: port ${port}, which its broker needs, is taken`;
  }
  say("Starting RabbitMQ in Docker (the first time, it downloads the image).");
  const failure = await composeUp(signal);
  if (failure) {
    say(`Docker: ${failure}`);
    return `Docker: ${failure}`;
  }
  const credentials = `${DEV_USER}:${DEV_PASSWORD}`;
  const amqpUrl = `amqp://${credentials}@localhost:${USUAL_PORTS.amqp}`;
  const probe = await probeBroker(amqpUrl);
  if (probe.found !== "broker") {
    return `Docker: its broker is healthy, and cannot be used: ${probe.reason}`;
  }
  const managementUrl = `http://${credentials}@localhost:${USUAL_PORTS.management}`;
  return await started(settings, {
    kind: "docker",
    version: probe.version,
    amqpUrl,
    managementUrl,
  });
}

/**
 * A private node; on Debian and Ubuntu as root, RabbitMQ is installed first where it is missing.
 *
 * @throws {BrokerSetupError} when RabbitMQ is installed and its node does not start.
 */
export async function privateBroker(settings: BrokerSettings): Promise<Rung> {
  const { directory, ports, say, signal } = settings;
  if (!findRabbitmqServer()) {
    const problem = await installWhereAllowed(settings);
    if (problem) return `rabbitmq-server: not installed, and not installable here: ${problem}`;
  }
  const node = await preparePrivateBroker(directory, ports);
  if (await node.isRunning()) {
    say("The private RabbitMQ node is starting already: waiting for it.");
  } else {
    say(`Starting a private RabbitMQ node in ${directory} (about ten seconds).`);
  }
  const version = await node.start({ signal });
  const { amqpUrl, managementUrl, pid, spec } = node;
  return await started(settings, {
    kind: "private",
    version,
    amqpUrl,
    managementUrl,
    pid,
    ports: { ...spec.ports },
  });
}

async function installWhereAllowed({ read, say }: BrokerSettings): Promise<string | undefined> {
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

async function started(settings: BrokerSettings, record: BrokerRecord): Promise<Broker> {
  await writeRecord(settings.directory, record);
  const { kind, version, amqpUrl, managementUrl } = record;
  return {
    kind,
    version,
    amqpUrls: [amqpUrl],
    managementUrl,
    startedByUs: true,
    stop: async () => void await stopBroker(settings),
  };
}
