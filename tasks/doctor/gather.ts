/** Every source is asked at once; each in its own bounded time, and each may fail on its own. */
import { ManagementClient, vhostOf } from "@ecomarket/shared/broker/management";
import { fullTopology } from "@ecomarket/shared/contract/topology";
import {
  amqpUrls,
  dataDir,
  managementUrl,
  outboxBounds,
  redactUrl,
  retryDelaysMs,
} from "@ecomarket/shared/process/config";
import type { Facts } from "./facts.ts";
import { look } from "./look.ts";
import { readAmqp } from "./sources/amqp.ts";
import { readManagement } from "./sources/management.ts";
import { readSandbox } from "./sources/sandbox.ts";
import { readOutbox, readStores } from "./sources/stores.ts";

/**
 * All facts. Nothing is declared, taken from a queue or written.
 *
 * @throws {ConfigError} when a variable is malformed: then nothing could be asked.
 */
export async function gatherFacts(now: Date): Promise<Facts> {
  const urls = amqpUrls();
  const vhost = vhostOf(urls[0]!);
  const delaysMs = retryDelaysMs();
  const queues = fullTopology(delaysMs).queues.map(({ name }) => name);
  const client = new ManagementClient(managementUrl());
  const project = new URL("../../", import.meta.url);
  const dataDirOf = (name: string) => dataDir(name);
  const bounds = outboxBounds();
  const [amqp, management, stores, outbox, sandbox] = await Promise.all([
    look(() => readAmqp(urls, queues)),
    look(() => readManagement(client, vhost)),
    look(() => readStores(dataDirOf)),
    look(() => readOutbox(dataDirOf, now)),
    look(() => readSandbox((path) => Deno.readTextFile(new URL(path, project)))),
  ]);
  return {
    now,
    amqpUrl: redactUrl(urls[0]!),
    amqpHost: new URL(urls[0]!).hostname,
    vhost,
    delaysMs,
    amqp,
    management,
    stores,
    outbox,
    outboxBounds: bounds,
    sandbox,
  };
}
