/** Queues that stand otherwise than the topology wants, and what has to stand once they are migrated. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ConfirmChannel, GetMessage, Options } from "amqplib";
import { ManagementClient, readTopology, vhostOf } from "@ecomarket/shared/broker/management";
import { fullTopology, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import type { VhostBroker } from "@ecomarket/testbed/broker/test_broker";
import { type Bench, TEST_DELAYS_MS } from "./bench.ts";
import { eventually } from "./eventually.ts";
import { setupQueues } from "./setup_command.ts";

/** The arguments that the topology gives the queue `name`. */
export function wantedArguments(name: string): Record<string, unknown> {
  const { queues } = fullTopology(TEST_DELAYS_MS);
  return { ...queues.find((queue) => queue.name === name)!.arguments };
}

/** Replaces a queue of the bench by one with these arguments, bound as it was. */
export async function declareOtherwise(
  bench: Bench,
  name: string,
  args: Record<string, unknown>,
): Promise<void> {
  await bench.channel.deleteQueue(name);
  await bench.channel.assertQueue(name, { durable: true, arguments: args });
  for (const { queue, exchange, routingKey } of fullTopology(TEST_DELAYS_MS).bindings) {
    if (queue === name) await bench.channel.bindQueue(name, exchange, routingKey);
  }
}

/** Publishes a user's event with this message id, and resolves once it is confirmed. */
export async function publishConfirmed(
  channel: ConfirmChannel,
  id: string,
  options: Options.Publish = {},
): Promise<void> {
  channel.publish(USER_EVENTS_EXCHANGE, "", Buffer.from(`cuerpo de ${id}`), {
    messageId: id,
    persistent: true,
    ...options,
  });
  await channel.waitForConfirms();
}

/** The message ids of `messages`, in order. */
export function ids(messages: readonly GetMessage[]): string[] {
  return messages.map(({ properties }) => String(properties.messageId)).sort();
}

/** Demands that all of the topology stands, and nothing that stood in for it. */
export async function assertMigrated(
  broker: Pick<VhostBroker, "managementUrl">,
  bench: Bench,
): Promise<void> {
  await eventually(async () => {
    const { code, stderr } = await setupQueues(broker, bench.amqpUrl, ["--check"]);
    assert.equal(code, 0, stderr);
  });
  const client = new ManagementClient(broker.managementUrl);
  const { queues, exchanges } = await readTopology(client, vhostOf(bench.amqpUrl));
  const left = [...queues, ...exchanges].map(({ name }) => name)
    .filter((name) => /\.(migrating|setup)$/.test(name));
  assert.deepEqual(left, []);
}
