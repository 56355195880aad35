/** `deno task status`: how much waits, who consumes, and what was done. */
import type { ChannelModel } from "amqplib";
import { ManagementClient, vhostOf } from "@ecomarket/shared/broker/management";
import {
  monitoredQueueStatus,
  type QueueStatus,
  queueStatus,
} from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { queuesWithNativeRetry } from "@ecomarket/shared/contract/native_retry";
import { MONITOR } from "@ecomarket/shared/contract/permissions";
import {
  consumedQueues,
  fullTopology,
  PARKED_QUEUE,
  type QueueSpec,
  type SubscriberName,
  SUBSCRIPTIONS,
} from "@ecomarket/shared/contract/topology";
import { parseArguments } from "@ecomarket/shared/process/args";
import {
  databaseAddress,
  dataDir,
  retryDelaysMs,
  roleAmqpUrls,
  roleManagementUrl,
} from "@ecomarket/shared/process/config";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import { type SubscriberState, subscriberState } from "@ecomarket/testbed/stores/pauses";
import {
  deadLettersIn,
  effectsIn,
  ofEachSubscriber,
  pauseIn,
  type StoresReader,
  storesReader,
} from "@ecomarket/testbed/stores/stores_reader";

const USAGE = `
Usage: deno task status [--json]

Shows the depth and the consumers of every queue, the effects in every
subscriber's store, and the archived dead letters, and what each subscriber
does: consuming, not running, or paused, with what it waits for and since when.
Changes nothing. Without a broker it shows what the stores tell, and ends with
1.
`;

/** The width of a terminal, at least. */
const COLUMNS = 80;

/** A subscriber that rests, or rested when it was killed. */
type Rest = Extract<SubscriberState, { readonly waitsFor: string }>;

/** What `--json` prints. */
export interface Status {
  /** `null` where the broker did not tell. */
  readonly queues: Readonly<Record<string, QueueStatus>> | null;
  readonly effects: Readonly<Record<string, number>>;
  readonly deadLetters: number;
  /** What each subscriber does now, and what it waits for where it rests. */
  readonly subscribers: Readonly<Record<string, SubscriberState>>;
}

/** n.b. 4.2.6 and 4.3.0 tell this over AMQP only to who may delete the queue; the management API tells it late. */
async function readQueues(
  urls: readonly string[],
  queues: readonly QueueSpec[],
): Promise<Record<string, QueueStatus>> {
  const names = queues.map((queue) => queue.name);
  const ask = async () => {
    const client = new ManagementClient(roleManagementUrl(MONITOR));
    return await monitoredQueueStatus(client, vhostOf(urls[0]!), names);
  };
  if (queuesWithNativeRetry(queues).length > 0) return await ask();
  const look = (connection: ChannelModel) => queueStatus(connection, names);
  try {
    return await withConnection(urls, "status", look);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 403) throw error;
    return await ask();
  }
}

/** How much waits in a queue, and what of it for a retry that the broker delays. */
function depthOf({ ready, delayed = 0 }: NonNullable<QueueStatus>): number | string {
  return delayed === 0 ? ready : `${ready}, and ${delayed} delayed`;
}

/** What the stores tell, beside what the broker told of its queues. */
async function readStatus(queues: Status["queues"], stores: StoresReader): Promise<Status> {
  const consumers = (name: SubscriberName) =>
    queues
      ? consumedQueues(SUBSCRIPTIONS[name])
        .reduce((sum, queue) => sum + (queues[queue]?.consumers ?? 0), 0)
      : undefined;
  return {
    queues,
    effects: await ofEachSubscriber((name) => effectsIn(stores, name)),
    deadLetters: await deadLettersIn(stores),
    subscribers: await ofEachSubscriber(async (name) =>
      subscriberState(await pauseIn(stores, name), consumers(name), new Date())
    ),
  };
}

function show({ queues, effects, deadLetters, subscribers }: Status): void {
  if (queues) {
    print(renderTable(
      ["queue", "ready", "consumers"],
      Object.entries(queues).map(([name, status]) =>
        status ? [name, depthOf(status), status.consumers] : [name, "missing", ""]
      ),
    ));
  }
  print(renderTable(["store", "effects", "subscriber"], [
    ...Object.entries(effects).map(([name, count]) => [name, count, subscribers[name]!.state]),
    ["dead letters", deadLetters, ""],
  ]));
  for (const [name, subscriber] of Object.entries(subscribers)) {
    if ("waitsFor" in subscriber) {
      print(wrapText(toldPause(name, subscriber), COLUMNS).join("\n"));
    }
  }
  if (queues && Object.values(queues).includes(null)) {
    print("Queues are missing. Declare them with: deno task setup-queues");
    print("(or name the delays they were declared with: FAST_RETRY, RETRY_DELAYS_MS)");
  }
  const parked = queues?.[PARKED_QUEUE]?.ready ?? 0;
  if (parked > 0) {
    print(
      `${parked} dead letter(s) that the archive could not take wait in ${PARKED_QUEUE}, which nobody ` +
        "consumes. Look at them in the management UI (Get messages), keep what you need of them, " +
        "then purge that queue.",
    );
  }
}

function toldPause(name: string, { state, waitsFor, reason, since, probedAt }: Rest): string {
  const story = `since ${toSeconds(since)} it waits for ${waitsFor} (${reason})`;
  return state === "paused"
    ? `${name} is paused: ${story}, and asked for it last at ${toSeconds(probedAt)}. Its events ` +
      "wait in its queue, and none is lost."
    : `${name} does not run, and was paused when it ended: ${story.replace("waits", "waited")}, ` +
      `until ${toSeconds(probedAt)}. Start it: deno task consumer:${name}`;
}

/** As `2026-11-24 18:05:03 UTC`. */
function toSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, { json: { type: "boolean" } });
    if (values.help) return print(USAGE.trim());
    // n.b. what cannot be used is told before anything is shown.
    const [urls, wanted] = [roleAmqpUrls(MONITOR), fullTopology(retryDelaysMs()).queues];
    await using stores = await storesReader((folder) => dataDir(folder), databaseAddress());
    let failure: unknown;
    const queues = await readQueues(urls, wanted).catch((error) => {
      failure = error;
      return null;
    });
    const status = await readStatus(queues, stores);
    if (values.json) print(JSON.stringify(status));
    else show(status);
    if (failure !== undefined) throw failure;
  });
}
