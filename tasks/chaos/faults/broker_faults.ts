/** The broker: restarted, killed, out of memory or disk, and what it does to connections and channels. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { PrivateNode } from "@ecomarket/setup/node/private_node";
import { until } from "@ecomarket/shared/base/poll";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { SUBSCRIBER_QUEUES, type SubscriberName } from "@ecomarket/shared/contract/topology";
import { IS_WINDOWS } from "@ecomarket/shared/process/platform";
import { auditEvents } from "@ecomarket/testbed/audit/event_audit";
import { lowerAckTimeout } from "@ecomarket/testbed/broker/ack_timeout";
import { holdingsIn } from "@ecomarket/testbed/stores/stores_reader";
import { readJournal } from "../load/journal.ts";
import type { World } from "../world.ts";
import { type Fault, type FaultOutcome, provoke } from "./fault.ts";

/** How long an alarm is held. */
const ALARM_MS = 2_000;
/** The broker's acknowledgement timeout while a consumer is made to miss it. Its default is 30 minutes. */
const ACK_TIMEOUT_MS = 1_000;

async function restart(world: World): Promise<FaultOutcome> {
  const node = world.broker.nodes[0]!;
  const before = node.pid;
  await node.stop();
  return await backAgain(world, node, `stopped, pid ${before}`);
}

async function kill(world: World): Promise<FaultOutcome> {
  const node = world.broker.nodes[0]!;
  const before = node.pid;
  await node.kill();
  return await backAgain(world, node, `kill -9, pid ${before}`);
}

async function backAgain(world: World, node: PrivateNode, what: string): Promise<FaultOutcome> {
  const starting = node.start();
  const endedAt = await acceptsConnections(node);
  await starting;
  return { proof: `${what} → ${node.pid}`, endedAt, affected: world.running };
}

/** When the broker took its first connection again. */
async function acceptsConnections(node: PrivateNode): Promise<number> {
  const { port } = new URL(node.amqpUrl);
  await until("the broker's port", async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) })
      .catch(() => undefined);
    connection?.close();
    return connection !== undefined;
  }, { timeoutMs: 60_000 });
  return performance.now();
}

const connectionsSchema = z.array(z.object({ name: z.string() }));

/** Every connection, closed by the broker as an operator would. */
async function closeConnections(world: World): Promise<FaultOutcome> {
  let closed = 0;
  await until("connections to close", async () => {
    for (const { name } of await world.management.get("connections", connectionsSchema)) {
      // One that went by itself in the meantime is not there to be closed.
      closed += await world.management.delete(`connections/${encodeURIComponent(name)}`)
        .then(() => 1, () => 0);
    }
    return closed > 0;
  });
  const proof = `${closed} connections closed by the broker`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

const MISSED_ACK = /delivery acknowledgement on channel \d+ timed out/;

/** A consumer that does not ack in time: the broker closes its channel. */
async function missAckTimeout(world: World): Promise<FaultOutcome> {
  const node = world.broker.nodes[0]!;
  const email = world.consumers.email;
  const lowered = await lowerAckTimeout(node, ACK_TIMEOUT_MS);
  try {
    let endedAt = 0;
    const said = await provoke("a channel closed for a missed ack", async () => {
      // n.b. the broker reads both values when a channel opens: email needs a new one.
      await email.kill();
      await world.logs.email.nextEffect();
      const lost = world.logs.email.next("the closed channel", ({ message }) => {
        return MISSED_ACK.test(message);
      }, 5_000);
      const { pid } = email.first.supervisor.current;
      Deno.kill(pid, "SIGSTOP");
      await delay(ACK_TIMEOUT_MS * 3);
      Deno.kill(pid, "SIGCONT");
      endedAt = performance.now();
      // It may have had nothing in hand just then.
      return await lost.then(({ message }) => MISSED_ACK.exec(message)?.[0], () => undefined);
    });
    return { proof: `the broker to email: ${said}`, endedAt, affected: ["email"] };
  } finally {
    await lowered[Symbol.asyncDispose]();
    await email.kill();
  }
}

/** Whether every event that was published has reached its end at `subscriber`. */
async function hasSeenAll(world: World, subscriber: SubscriberName): Promise<boolean> {
  const published = [...readJournal(world.journalDir), ...world.apis?.load.answers ?? []];
  const ids = published.map(({ eventId }) => eventId);
  const holdings = await holdingsIn(world.stores.reader, subscriber);
  return auditEvents({ ids }, holdings).lost.length === 0;
}

/** The queue of a consumer is deleted while it is empty: it must be declared again. */
async function deleteQueue(world: World): Promise<FaultOutcome> {
  const queue = SUBSCRIBER_QUEUES.email;
  await world.publisher.current.tell("pause");
  try {
    await world.publisher.current.said("paused");
    await world.apis?.pause();
    // n.b. a quorum queue cannot be deleted only if it is empty: so it is made sure of before.
    await until("an empty queue", () => hasSeenAll(world, "email"));
    await until("empty retry queues", async () => await world.backlog("email") === 0);
    await withConnection(world.directUrls, "chaos", async (connection) => {
      await (await connection.createChannel()).deleteQueue(queue);
    });
    const endedAt = performance.now();
    await until("the queue's return", async () => {
      return ((await world.queues([queue]))[queue]?.consumers ?? 0) > 0;
    });
    const proof = `${queue} deleted while empty; declared and consumed again by email`;
    return { proof, endedAt, affected: ["email"] };
  } finally {
    world.apis?.load.resume();
    await world.publisher.current.tell("resume");
  }
}

/** Raises an alarm, until the publisher says that it waits, and a while more. */
async function alarm(
  world: World,
  raise: readonly string[],
  clear: readonly string[],
): Promise<FaultOutcome> {
  const node = world.broker.nodes[0]!;
  const blocked = world.logs.publisher.next("the publisher's waiting", ({ message }) => {
    return message.includes("takes no more for now");
  });
  const unblocked = world.logs.publisher.next("the publisher's going on", ({ message }) => {
    return message.includes("takes messages again");
  }, 60_000);
  await node.ctl(...raise);
  try {
    const { message } = await blocked;
    await delay(ALARM_MS);
    await node.ctl(...clear);
    await unblocked;
    return {
      proof: `publisher: ${message.replaceAll('"', "")}`,
      endedAt: performance.now(),
      affected: world.running,
    };
  } finally {
    await node.ctl(...clear);
  }
}

/** Faults of a broker of one node. */
export const BROKER_FAULTS: readonly Fault[] = [
  { name: "broker-restart", description: "the broker is restarted", nodes: 1, inject: restart },
  { name: "broker-kill", description: "kill -9 of the broker", nodes: 1, inject: kill },
  {
    name: "connections-closed",
    description: "the broker closes all connections",
    nodes: 1,
    inject: closeConnections,
  },
  {
    name: "channel-closed",
    description: "the broker closes a channel (acknowledgement timeout)",
    nodes: 1,
    needs: "email",
    impossible: () => IS_WINDOWS ? "a process cannot be paused on Windows" : undefined,
    inject: missAckTimeout,
  },
  {
    name: "consumer-cancelled",
    description: "a queue is deleted while empty, its consumer cancelled",
    nodes: 1,
    needs: "email",
    inject: deleteQueue,
  },
  {
    name: "memory-alarm",
    description: "the broker is out of memory",
    nodes: 1,
    inject: (world) =>
      alarm(world, ["set_vm_memory_high_watermark", "0.00001"], [
        "set_vm_memory_high_watermark",
        "0.6",
      ]),
  },
  {
    name: "disk-alarm",
    description: "the broker is out of disk",
    nodes: 1,
    inject: (world) =>
      alarm(world, ["set_disk_free_limit", String(10 ** 15)], ["set_disk_free_limit", "50MB"]),
  },
];
