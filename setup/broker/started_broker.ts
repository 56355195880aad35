/**
 * The rungs that start a broker: Docker's, a private node of the installed RabbitMQ, and the
 * installation that makes the latter possible. Each returns the broker, or says why it has none.
 */
import { DEV_PASSWORD, DEV_USER } from "@ecomarket/shared/process/config";
import { findRabbitmqServer } from "../machine/find_rabbitmq.ts";
import { isPortFree } from "../machine/free_ports.ts";
import { PrivateCluster } from "../node/private_cluster.ts";
import { probeBroker } from "../node/probe_broker.ts";
import type { Broker, BrokerSettings } from "./broker_options.ts";
import { type BrokerRecord, writeRecord } from "./broker_record.ts";
import { developmentCa } from "./development_ca.ts";
import { COMPOSED, composeUp, dockerProblem } from "./docker_broker.ts";
import {
  described,
  preparePrivateBroker,
  type PrivateBroker,
  runningPrivateBroker,
} from "./private_broker.ts";
import { installWhereAllowed } from "./require_rabbitmq.ts";
import { stopBroker } from "./stop_broker.ts";

/** A broker, or the reason why this rung has none. */
export type Rung = Broker | string;

/** Docker's broker. It listens on fixed ports only. */
export async function startDockerBroker(settings: BrokerSettings): Promise<Rung> {
  const { read, say, signal, size = 1 } = settings;
  if (read("BROKER_DOCKER") === "never") return "Docker: BROKER_DOCKER=never";
  const problem = await dockerProblem();
  if (problem) return `Docker: ${problem}`;
  const { services, amqp, management } = COMPOSED[size];
  for (const port of [...amqp, ...management]) {
    if (!await isPortFree(port)) return `Docker: port ${port}, which its broker needs, is taken`;
  }
  say("Starting RabbitMQ in Docker (the first time, it downloads the image).");
  const failure = await composeUp(services, signal);
  if (failure) {
    say(`Docker: ${failure}`);
    return `Docker: ${failure}`;
  }
  const credentials = `${DEV_USER}:${DEV_PASSWORD}`;
  const amqpUrls = amqp.map((port) => `amqp://${credentials}@localhost:${port}`);
  const probe = await probeBroker(amqpUrls[0]!);
  if (probe.found !== "broker") {
    return `Docker: its broker is healthy, and cannot be used: ${probe.reason}`;
  }
  return await started(settings, {
    kind: "docker",
    version: probe.version,
    amqpUrl: amqpUrls.join(),
    managementUrl: `http://${credentials}@localhost:${management[0]}`,
  });
}

/**
 * A private node or cluster; on Debian and Ubuntu as root, RabbitMQ is installed first where it is
 * missing.
 *
 * @throws {BrokerSetupError} when RabbitMQ is installed and a node does not start.
 */
export async function startPrivateBroker(settings: BrokerSettings): Promise<Rung> {
  const { directory, say, signal, size = 1 } = settings;
  if (!findRabbitmqServer()) {
    const problem = await installWhereAllowed(settings);
    if (problem) return `rabbitmq-server: not installed, and not installable here: ${problem}`;
  }
  const running = await runningPrivateBroker(directory);
  const broker = running ?? await prepared(settings);
  if (running) {
    say("The private RabbitMQ broker runs, and does not answer yet: waiting for it.");
    await startMissingNodes(running, settings);
  } else {
    const duration = size === 1 ? "about ten seconds" : "about half a minute";
    say(`Starting ${described(broker)} in ${directory} (${duration}).`);
  }
  const version = await broker.start({ signal });
  const { amqpUrls, managementUrl } = broker;
  return await started(settings, {
    kind: "private",
    version,
    amqpUrl: amqpUrls.join(),
    managementUrl,
    ...(broker instanceof PrivateCluster
      ? {}
      : { pid: broker.pid, ports: { ...broker.spec.ports } }),
  });
}

/** A broker that does not run yet. The usual port of AMQP over TLS is the one before that of AMQP. */
async function prepared(
  { directory, ports, size = 1, tls }: BrokerSettings,
): Promise<PrivateBroker> {
  if (!tls) return await preparePrivateBroker(directory, ports, size);
  const usual = { ...ports, amqp: ports.amqp - 1 };
  return await preparePrivateBroker(directory, usual, size, await developmentCa(directory));
}

/** Starts the nodes of a running cluster that are gone, as after a crash. */
export async function startMissingNodes(
  broker: PrivateBroker,
  { say, signal }: BrokerSettings,
): Promise<void> {
  const missing = broker instanceof PrivateCluster ? await broker.missingNodes() : [];
  if (missing.length === 0) return;
  say(`Starting again: ${missing.map((node) => node.spec.name).join(", ")}.`);
  await broker.start({ signal });
}

async function started(settings: BrokerSettings, record: BrokerRecord): Promise<Broker> {
  await writeRecord(settings.directory, record);
  const { kind, version, amqpUrl, managementUrl } = record;
  return {
    kind,
    version,
    amqpUrls: amqpUrl.split(","),
    managementUrl,
    startedByUs: true,
    stop: async () => void await stopBroker(settings),
  };
}
