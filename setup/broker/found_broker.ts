/** The rungs that start nothing: the broker of `AMQP_URL`, one that we started earlier, a local one. */
import { AccessRefusedError, BrokerUnreachableError } from "@ecomarket/shared/base/errors";
import {
  amqpUrls,
  DEV_PASSWORD,
  DEV_USER,
  managementUrl,
  redactUrl,
} from "@ecomarket/shared/process/config";
import { type Probe, probeBroker } from "../node/probe_broker.ts";
import type { Broker, BrokerSettings } from "./broker_options.ts";
import { readRecord } from "./broker_record.ts";
import { runningPrivateBroker } from "./private_broker.ts";

/**
 * The broker of `AMQP_URL`. One node of a cluster that answers is enough.
 *
 * @throws {BrokerUnreachableError} when no node answers.
 * @throws {AccessRefusedError} when none answers and one refuses the credentials.
 * @throws {TlsRefusedError} when none answers and one cannot be reached encrypted as its URL demands.
 */
export async function namedBroker({ read }: BrokerSettings): Promise<Broker> {
  const urls = { amqpUrls: amqpUrls(read), managementUrl: managementUrl(read) };
  const probes = await Promise.all(urls.amqpUrls.map((url) => probeBroker(url)));
  const version = probes.find((probe) => probe.found === "broker")?.version;
  if (version !== undefined) return found("AMQP_URL", version, urls);

  const unencrypted = probes.find((probe) => probe.found === "tls-refusal");
  if (unencrypted) throw unencrypted.error;
  const failures = probes.map((probe, index) =>
    `  - ${redactUrl(urls.amqpUrls[index]!)}: ${probe.found === "broker" ? "" : probe.reason}`
  ).join("\n");
  if (probes.some((probe) => probe.found === "refusal")) {
    throw new AccessRefusedError(
      `The broker of AMQP_URL refuses its user, password or virtual host:\n${failures}\n` +
        "Correct AMQP_URL, or unset it and run: deno task broker start",
    );
  }
  throw new BrokerUnreachableError(
    `No broker answers at AMQP_URL:\n${failures}\n` +
      "Start that broker, or unset AMQP_URL and run: deno task broker start",
  );
}

/** The broker that we started earlier, if it still answers: of a cluster one node is enough. */
export async function recordedBroker(settings: BrokerSettings): Promise<Broker | undefined> {
  const { directory, say } = settings;
  const record = await readRecord(directory);
  if (!record) return undefined;
  if (record.kind === "private" && !await runningPrivateBroker(directory)) return undefined;
  const amqpUrls = record.amqpUrl.split(",");
  const probes = await Promise.all(amqpUrls.map((url) => probeBroker(url)));
  const answers = probes.filter((probe) => probe.found === "broker");
  if (answers.length === 0) return undefined;
  if (answers.length < probes.length) {
    say(`Only ${answers.length} of ${probes.length} nodes answer.`);
  }
  const { managementUrl } = record;
  return found(record.kind, answers[0]!.version, { amqpUrls, managementUrl });
}

/** A broker that somebody else runs on the usual port, with the workshop's credentials. */
export async function localBroker(settings: BrokerSettings): Promise<Broker | undefined> {
  const { ports, read, say } = settings;
  const credentials = `${DEV_USER}:${DEV_PASSWORD}`;
  const amqpUrl = `amqp://${credentials}@localhost:${ports.amqp}`;
  const probe = await probeBroker(amqpUrl);
  if (probe.found === "broker") {
    const managementUrl = read("MANAGEMENT_URL") ||
      `http://${credentials}@localhost:${ports.management}`;
    return found("local", probe.version, { amqpUrls: [amqpUrl], managementUrl });
  }
  const holder = holderOf(probe);
  if (holder) say(`Port ${ports.amqp} is held by ${holder}.`);
  return undefined;
}

/** What holds a port that is not ours, for a person; `undefined` when nothing does. */
function holderOf(probe: Probe): string | undefined {
  if (probe.found === "refusal") return `a broker that refuses the user ${DEV_USER}`;
  if (probe.found === "tls-refusal") return "something that speaks TLS";
  if (probe.found === "stranger") return `something that is no broker (${probe.reason})`;
  return undefined;
}

function found(
  kind: Broker["kind"],
  version: string,
  urls: Pick<Broker, "amqpUrls" | "managementUrl">,
): Broker {
  return { kind, version, ...urls, startedByUs: false, stop: () => Promise.resolve() };
}
