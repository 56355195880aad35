/** `deno task status`: how much waits, who consumes, and what was done. */
import type { ChannelModel } from "amqplib";
import { ManagementClient, vhostOf } from "@ecomarket/shared/broker/management";
import {
  monitoredQueueStatus,
  type QueueStatus,
  queueStatus,
} from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { MONITOR } from "@ecomarket/shared/contract/permissions";
import { fullTopology, PARKED_QUEUE } from "@ecomarket/shared/contract/topology";
import { parseArguments } from "@ecomarket/shared/process/args";
import {
  dataDir,
  retryDelaysMs,
  roleAmqpUrls,
  roleManagementUrl,
} from "@ecomarket/shared/process/config";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { countDeadLetters, countEffects, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";

const USAGE = `
Usage: deno task status [--json]

Shows the depth and the consumers of every queue, the effects in every subscriber's store, and the
archived dead letters. Changes nothing.
`;

/** What `--json` prints. */
export interface Status {
  readonly queues: Readonly<Record<string, QueueStatus>>;
  readonly effects: Readonly<Record<string, number>>;
  readonly deadLetters: number;
}

/** n.b. from RabbitMQ 4.2.6 on, only the management API tells this to a user that may change nothing. */
async function readQueues(names: readonly string[]): Promise<Status["queues"]> {
  const urls = roleAmqpUrls(MONITOR);
  const look = (connection: ChannelModel) => queueStatus(connection, names);
  try {
    return await withConnection(urls, "status", look);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 403) throw error;
    const client = new ManagementClient(roleManagementUrl(MONITOR));
    return await monitoredQueueStatus(client, vhostOf(urls[0]!), names);
  }
}

async function readStatus(): Promise<Status> {
  const names = fullTopology(retryDelaysMs()).queues.map((queue) => queue.name);
  return {
    queues: await readQueues(names),
    effects: Object.fromEntries(
      SUBSCRIBERS.map((name) => [name, countEffects(name, (folder) => dataDir(folder))]),
    ),
    deadLetters: countDeadLetters((folder) => dataDir(folder)),
  };
}

function show({ queues, effects, deadLetters }: Status): void {
  print(renderTable(
    ["queue", "ready", "consumers"],
    Object.entries(queues).map(([name, status]) =>
      status ? [name, status.ready, status.consumers] : [name, "missing", ""]
    ),
  ));
  print(renderTable(["store", "effects"], [
    ...Object.entries(effects),
    ["dead letters", deadLetters],
  ]));
  if (Object.values(queues).includes(null)) {
    print("Queues are missing. Declare them with: deno task setup-queues");
    print("(or name the delays they were declared with: FAST_RETRY, RETRY_DELAYS_MS)");
  }
  const parked = queues[PARKED_QUEUE]?.ready ?? 0;
  if (parked > 0) {
    print(
      `${parked} dead letter(s) that the archive could not take wait in ${PARKED_QUEUE}, which nobody ` +
        "consumes. Look at them in the management UI (Get messages), keep what you need of them, " +
        "then purge that queue.",
    );
  }
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, { json: { type: "boolean" } });
    if (values.help) return print(USAGE.trim());
    const status = await readStatus();
    if (values.json) print(JSON.stringify(status));
    else show(status);
  });
}
