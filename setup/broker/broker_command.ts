/** `deno task broker start|stop|status|reset`. */
import { relative } from "node:path";
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { DEV_PASSWORD, DEV_USER, redactUrl } from "@ecomarket/shared/process/config";
import { type CommandContext, print, printError, runCommand } from "@ecomarket/shared/process/main";
import { tlsPaths } from "@ecomarket/shared/process/tls_files";
import { CLUSTER_SIZE } from "../node/private_cluster.ts";
import {
  type Broker,
  type BrokerSize,
  ensureBroker,
  findBroker,
  ORIGINS,
  resetBroker,
  stopBroker,
} from "./broker.ts";

const USAGE = `
Usage: deno task broker start|stop|status|reset [--nodes 1|3] [--tls]
                        [--json]

  start    finds a broker, or starts one: AMQP_URL, localhost:5672, Docker,
           rabbitmq-server; starts nodes of our cluster that are gone
  stop     stops the broker that we started; its data are kept
  status   says which broker is used; exits with 1 when there is none
  reset    stops the broker that we started and deletes its data

  --nodes  start: how many; 3 is a cluster that survives the loss of any one
           (default: 1)
  --tls    start: a private broker that encrypts AMQP, with a CA of its own
  --json   start and status print one JSON object
`;

/** The command; runs to its exit code. */
export async function brokerCommand({ args, signal }: CommandContext): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    json: { type: "boolean" },
    nodes: { type: "string" },
    tls: { type: "boolean" },
  }, 1);
  if (values.help) return print(USAGE.trim()), 0;
  const size = brokerSize(values.nodes);
  const say = printError;
  switch (positionals[0]) {
    case "start":
      show(await ensureBroker({ say, signal, size, tls: values.tls }), values.json);
      return 0;
    case "stop": {
      const stopped = await stopBroker({ say });
      say(stopped ? `Stopped ${ORIGINS[stopped]}; its data are kept.` : NOTHING_OF_OURS);
      return 0;
    }
    case "status": {
      const broker = await findBroker({ say });
      if (broker) show(broker, values.json);
      else say("There is no broker. Run this to get one: deno task broker start");
      return broker ? 0 : 1;
    }
    case "reset": {
      const deleted = await resetBroker({ say });
      say(deleted.length > 0 ? `Deleted ${deleted.join(" and ")}.` : NOTHING_OF_OURS);
      return 0;
    }
    default:
      throw new UsageError(
        positionals[0] ? `Unknown action: ${positionals[0]}` : "Which action? None was given",
      );
  }
}

const SIZES: readonly BrokerSize[] = [1, CLUSTER_SIZE];
const NOTHING_OF_OURS = "There is nothing to do: no broker that we started.";

function brokerSize(text: string | undefined): BrokerSize | undefined {
  if (text === undefined) return undefined;
  const size = SIZES.find((each) => String(each) === text);
  if (size) return size;
  throw new UsageError(`--nodes must be ${SIZES.join(" or ")}, got "${text}"`);
}

/** Prints the broker. Only the workshop's own password, which is public, is ever shown. */
function show(broker: Broker, asJson = false): void {
  const amqpUrls = broker.amqpUrls.map(showable);
  const managementUrl = showable(broker.managementUrl);
  if (asJson) {
    const { kind, version, startedByUs } = broker;
    print(JSON.stringify({ kind, version, amqpUrls, managementUrl, startedByUs }));
    return;
  }
  const { origin, username, password } = new URL(broker.managementUrl);
  print(`RabbitMQ    ${broker.version}, ${ORIGINS[broker.kind]} (${broker.kind})`);
  print(`AMQP        ${amqpUrls.map(withoutSearch).join("\n            ")}`);
  const [ca] = broker.amqpUrls.flatMap(tlsPaths);
  if (ca) print(`TLS         its CA: ${relative(Deno.cwd(), ca)}`);
  print(`Management  ${origin}`);
  if (isDevelopment(username, password)) {
    print(`            user ${username}, password ${password}`);
  }
}

function withoutSearch(url: string): string {
  return url.replace(/\?.*$/, "");
}

function showable(url: string): string {
  const { username, password } = new URL(url);
  return isDevelopment(username, password) ? url : redactUrl(url);
}

function isDevelopment(user: string, password: string): boolean {
  return user === DEV_USER && password === DEV_PASSWORD;
}

if (import.meta.main) await runCommand(USAGE, brokerCommand);
