/** `deno task setup-queues`: declares the topology, checks what stands, or replaces what differs. */
import { MigrationError, UsageError } from "@ecomarket/shared/base/errors";
import { brokerVersion } from "@ecomarket/shared/broker/broker_version";
import {
  ManagementClient,
  readConsumers,
  readTopology,
  readVersion,
  vhostOf,
} from "@ecomarket/shared/broker/management";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { requireNativeRetry } from "@ecomarket/shared/contract/native_retry";
import { brokerRoles } from "@ecomarket/shared/contract/permissions";
import {
  fullTopology,
  migratingName,
  type QueueSpec,
  SUBSCRIBER_QUEUES,
  type Topology,
} from "@ecomarket/shared/contract/topology";
import { parseArguments } from "@ecomarket/shared/process/args";
import {
  amqpUrls,
  logConfig,
  managementUrl,
  retryDelaysMs,
} from "@ecomarket/shared/process/config";
import { readBrokerUrls } from "@ecomarket/shared/process/broker_file";
import { configureLog } from "@ecomarket/shared/process/log";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { declareAmongOthers } from "./declare_at_once.ts";
import { dropPartitions } from "./drop_partitions.ts";
import { furtherSubscribers } from "./further_subscribers.ts";
import { migrateQueues } from "./migrate_queues.ts";
import { givenPasswords, rightsTable, setupUsers } from "./setup_users.ts";
import {
  differenceText,
  diffTopology,
  leftovers,
  otherSubscribers,
  refuseSharedQueues,
  sharedByConsumers,
  unfinishedMigration,
  unknownToBroker,
} from "./topology_diff.ts";

const USAGE = `
Usage: deno task setup-queues [--check | --migrate]
       deno task setup-queues --users [--subscriber NAME:QUEUE] [--rotate]
       deno task setup-queues --drop-partitions QUEUE

Declares every exchange, queue and binding, and prints what stands. Safe to run
again: it never changes or deletes what is there. On a broker that
\`deno task broker start\` started it does as with --users.

  --check     declare nothing; exit 1 and name each difference, if there is one
  --migrate   replace queues that stand with other arguments: their messages and
              what comes meanwhile go into the new ones. They must have no
              consumers. Killed, it is run again (both ask the management API:
              MANAGEMENT_URL)
  --users     declare all, and make one broker user per role, with the rights
              that it needs and no others. MANAGEMENT_URL is an administrator's.
              A password is that of BROKER_PASSWORD_<ROLE>, such as
              BROKER_PASSWORD_EMAIL, or else generated into .broker/credentials,
              which only you can read
  --subscriber NAME:QUEUE
              a subscriber of your own, such as audit:audit_queue; repeatable
  --rotate    generate the passwords anew: a role takes its own at its next
              start
  --drop-partitions QUEUE
              take the empty partitions of an ordered subscriber away, so that
              it may have another number of them: it declares them when it
              starts. Refused while an event waits in them (asks the management
              API)

The retry queues follow FAST_RETRY and RETRY_DELAYS_MS, as the consumers' do.
`;

/** Declares `topology` on the first broker of `urls` that answers. */
async function declare(urls: readonly string[], topology: Topology): Promise<void> {
  await withConnection(urls, "setup-queues", async (connection) => {
    requireNativeRetry(brokerVersion(connection), topology.queues);
    await declareAmongOthers(urls, topology);
    const queues = topology.queues.map(({ name }) => name);
    const standIns = await queueStatus(connection, queues.map(migratingName));
    const unfinished = queues.find((name) => standIns[migratingName(name)]);
    if (unfinished) throw new MigrationError(differenceText(unfinishedMigration(unfinished)));
  });
}

async function migrate(urls: readonly string[], topology: Topology): Promise<void> {
  const management = new ManagementClient(managementUrl());
  await migrateQueues(topology, { urls, management, say: printError });
}

async function drop(urls: readonly string[], queue: string): Promise<void> {
  const gone = await dropPartitions(queue, urls, new ManagementClient(managementUrl()));
  print(gone.length > 0 ? `Gone: ${gone.join(", ")}` : `"${queue}" has no partitions.`);
}

/** @returns the exit code: 0 when everything stands as it should. */
async function check(topology: Topology): Promise<number> {
  const client = new ManagementClient(managementUrl());
  const vhost = vhostOf(amqpUrls()[0]!);
  const standing = await readTopology(client, vhost);
  const differences = [
    ...unknownToBroker(topology, await readVersion(client)),
    ...diffTopology(topology, standing),
    ...leftovers(topology, standing),
    ...sharedByConsumers(await readConsumers(client, vhost)),
  ];
  differences.forEach((difference) => printError(differenceText(difference)));
  const others = otherSubscribers(topology, standing);
  if (others.length > 0) print(`Further subscribers: ${others.join(", ")}`);
  if (differences.length > 0) {
    printError(`${differences.length} difference(s). Nothing was changed.`);
    return 1;
  }
  print("Everything stands as it should.");
  return 0;
}

/** Whether the broker is one that `deno task broker start` started, for this project and nobody else. */
function isOurBroker(): boolean {
  return !Deno.env.get("AMQP_URL") && readBrokerUrls() !== undefined;
}

function table({ queues, bindings }: Topology): string {
  const rows = queues.map(({ name, arguments: args }) => {
    const sources = bindings.filter((binding) => binding.queue === name)
      .map((binding) => binding.exchange);
    const exchanges = [...new Set(sources)];
    return [name, exchanges.reverse(), afterwards(name, args)];
  });
  return renderTable(["quorum queue", "bound to", "and then"], rows);
}

/** Where what leaves the queue by itself goes, in the 16 columns that a terminal has left for it. */
function afterwards(name: string, args: QueueSpec["arguments"]): string {
  const ttlMs = args["x-message-ttl"];
  if (typeof ttlMs === "number") return `back after ${ttlMs / 1000} s`;
  const minMs = args["x-delayed-retry-min"];
  if (typeof minMs === "number") return `back after ${minMs / 1000} s`;
  const exchange = args["x-dead-letter-exchange"];
  if (exchange === undefined) return "for a person";
  return String(exchange).replace(`${name}.`, "its .");
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, {
      check: { type: "boolean" },
      migrate: { type: "boolean" },
      users: { type: "boolean" },
      subscriber: { type: "string", multiple: true },
      rotate: { type: "boolean" },
      "drop-partitions": { type: "string" },
    });
    if (values.help) return print(USAGE.trim());
    const toDrop = values["drop-partitions"];
    const actions = [values.check, values.migrate, values.users, toDrop !== undefined]
      .filter(Boolean);
    if (actions.length > 1) {
      throw new UsageError("--check, --migrate, --users and --drop-partitions: one of them");
    }
    if (!values.users && (values.subscriber || values.rotate)) {
      throw new UsageError("--subscriber and --rotate: only with --users");
    }
    const makesUsers = values.users ?? (actions.length === 0 && isOurBroker());
    const roles = brokerRoles(furtherSubscribers(values.subscriber ?? []));
    const given = givenPasswords(makesUsers ? roles : [], (name) => Deno.env.get(name));
    await configureLog(logConfig());
    refuseSharedQueues(SUBSCRIBER_QUEUES);
    const topology = fullTopology(retryDelaysMs());
    if (values.check) return await check(topology);
    const urls = amqpUrls();
    if (toDrop !== undefined) return await drop(urls, toDrop);
    await (values.migrate ? migrate : declare)(urls, topology);
    print(table(topology));
    const { exchanges, queues, bindings } = topology;
    print(
      `${exchanges.length} exchanges, ${queues.length} queues and ${bindings.length} bindings stand.`,
    );
    if (!makesUsers) return;
    await setupUsers({
      managementUrl: managementUrl(),
      amqpUrl: urls[0]!,
      roles,
      given,
      rotate: values.rotate ?? false,
    });
    if (values.users) print(rightsTable(roles));
    print(`${roles.length} users stand, each with the rights of its role.`);
  });
}
