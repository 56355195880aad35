/** The events of one user in order: in partitions, over retries, lost links, pauses and several instances. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { MigrationError, PermanentError, TopologyDriftError } from "@ecomarket/shared/base/errors";
import { ManagementClient, readConsumers, vhostOf } from "@ecomarket/shared/broker/management";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { partitionQueues } from "@ecomarket/shared/contract/partitions";
import { userBucket } from "@ecomarket/shared/contract/user_bucket";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { dropPartitions } from "@ecomarket/setup/queues/drop_partitions";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { onlyArchived } from "../support/archive.ts";
import { Bench, type RecordingConsumer, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { inversions } from "../support/inversions.ts";
import { setupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();

const QUEUE = "ordered_queue";
const ORDERED = { partitions: 4 };
const PARTITIONS = partitionQueues(QUEUE, ORDERED);

type Handle = Parameters<typeof recordingConsumer>[0];
type Overrides = Parameters<typeof recordingConsumer>[1];

function orderedConsumer(handle?: Handle, overrides: Overrides = {}): RecordingConsumer {
  return recordingConsumer(handle, {
    name: "ordered",
    queue: QUEUE,
    ordered: ORDERED,
    ...overrides,
  });
}

/** Publishes events of `users` in turn, `each` of every one. @returns their ids, in order. */
async function publish(bench: Bench, users: readonly string[], each: number): Promise<string[]> {
  const channel = await bench.connection.createConfirmChannel();
  const ids: string[] = [];
  for (let n = 0; n < each; n++) {
    for (const user_id of users) {
      const event = createUsuarioCreado({ user_id, nombre: "Ana", email: "ana@example.com" });
      const { content, options } = encode(event);
      channel.publish("user_events", "", content, options);
      ids.push(event.event_id);
    }
  }
  await channel.waitForConfirms();
  await channel.close();
  return ids;
}

function usersNamed(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `u-${n}`);
}

/** The effects in the order in which they were committed. */
function effects(bench: Bench, name = "ordered"): { event_id: string; user_id: string }[] {
  using db = new DatabaseSync(join(bench.directory, name, "store.sqlite"), { readOnly: true });
  return db.prepare("SELECT event_id, user_id FROM handled ORDER BY rowid").all()
    .map(({ event_id, user_id }) => ({ event_id: String(event_id), user_id: String(user_id) }));
}

/** Waits until `instances` consume each of the partitions. n.b. a queue counts its active consumer alone. */
async function untilConsumed(bench: Bench, instances = 1, partitions = 4): Promise<void> {
  const management = new ManagementClient(broker.managementUrl);
  await eventually(async () => {
    const consumers = await readConsumers(management, vhostOf(bench.amqpUrl));
    const ours = consumers.filter(({ queue }) => queue.startsWith(QUEUE));
    assert.equal(ours.length, instances * partitions);
  });
}

/** Demands the effect of each of `ids` once, and each user's in order. */
async function assertInOrder(bench: Bench, ids: readonly string[], name?: string): Promise<void> {
  await eventually(() => assert.equal(effects(bench, name).length, ids.length), 120_000);
  const done = effects(bench, name);
  assert.deepEqual(new Set(done.map(({ event_id }) => event_id)), new Set(ids));
  assert.deepEqual(inversions(done, ids), []);
}

Deno.test("an ordered subscriber handles 2,000 events with no inversion within a user, whatever is retried", async () => {
  await using bench = await Bench.open(broker);
  const failed = new Map<string, number>();
  const consumer = orderedConsumer((user, attempt) => {
    const times = failed.get(user) ?? 0;
    if (attempt <= 2 && times < 2 && Number(user.slice(2)) % 10 === 0) {
      failed.set(user, times + 1);
      throw new Error("the disk is slow");
    }
  });
  await using _running = bench.run(consumer);
  await untilConsumed(bench);
  const ids = await publish(bench, usersNamed(50), 40);
  await assertInOrder(bench, ids);
  assert.deepEqual(new Set(failed.values()), new Set([2]));
  await bench.assertEmpty(...PARTITIONS, "dead_letter_queue");
});

Deno.test("an ordered subscriber keeps the order over lost links and two instances on one store", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const amqpUrl = proxy.urlFor(bench.amqpUrl);
  const consumer = orderedConsumer(() => delay(Math.random() * 3));
  await using first = bench.run(consumer, { amqpUrl });
  await untilConsumed(bench);
  await using _second = bench.run(consumer, { amqpUrl, store: first.store });
  await untilConsumed(bench, 2);
  const ids = await publish(bench, usersNamed(25), 40);
  for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    await eventually(() => assert.ok(effects(bench).length > ids.length * share), 60_000);
    proxy.cut();
  }
  await assertInOrder(bench, ids);
  assert.ok(proxy.cuts >= 5);
  await bench.assertEmpty("dead_letter_queue");
});

Deno.test("an ordered subscriber hands over in order when it is stopped", async () => {
  await using bench = await Bench.open(broker);
  // What is in hand at the stop takes far longer than the next event with its successor.
  const slow = orderedConsumer(() => delay(60));
  const store = bench.openStore(slow);
  const ids: string[] = [];
  {
    const first = bench.run(slow, { store });
    await untilConsumed(bench);
    await using _second = bench.run(orderedConsumer(), { store });
    await untilConsumed(bench, 2);
    ids.push(...await publish(bench, usersNamed(4), 60));
    await eventually(() => assert.ok(effects(bench).length > 10));
    await first.stop();
    assert.ok(effects(bench).length < ids.length, "stopped in the middle");
    await assertInOrder(bench, ids);
  }
  store.close();
});

Deno.test("an ordered subscriber keeps what its retries cannot mend as a dead letter, then goes on with that user", async () => {
  await using bench = await Bench.open(broker);
  const seen: number[] = [];
  let calls = 0;
  const consumer = orderedConsumer((user, attempt) => {
    if (user !== "u-1") return;
    if (calls++ === 0 || seen.length < 4) {
      seen.push(attempt);
      throw new Error("never");
    }
  });
  await using _archive = bench.run(deadLetterConsumer);
  await using _running = bench.run(consumer);
  await untilConsumed(bench);
  const ids = await publish(bench, ["u-1"], 3);
  await assertInOrder(bench, ids.slice(1));
  assert.deepEqual(seen, [1, 2, 3, 4]);
  const letter = await onlyArchived(bench);
  assert.deepEqual(
    [letter.message_id, letter.origin_queue, letter.reason, letter.retries],
    [ids[0], QUEUE, "retries-exhausted", 3],
  );
});

Deno.test("an ordered subscriber waits with what its dependency cannot serve, in its place", async () => {
  await using bench = await Bench.open(broker);
  let isAway = false;
  let pauses = 0;
  const dependency = {
    name: "the server",
    check: () => isAway ? Promise.reject(new Error("caído")) : Promise.resolve(),
  };
  const consumer = orderedConsumer(() => {
    if (pauses === 0) {
      pauses++;
      isAway = true;
    }
    if (isAway) throw new Error("the server is away");
  }, { dependency });
  await using _running = bench.run(consumer);
  await untilConsumed(bench);
  const ids = await publish(bench, usersNamed(10), 5);
  await untilConsumed(bench, 0);
  assert.equal(effects(bench).length, 0);
  isAway = false;
  await assertInOrder(bench, ids);
  await bench.assertEmpty("dead_letter_queue");
});

Deno.test("an ordered subscriber takes events without a bucket in its first partition, and keeps what is invalid", async () => {
  await using bench = await Bench.open(broker);
  await using running = bench.run(orderedConsumer());
  await untilConsumed(bench);
  await running.stop();
  const python = { nombre: "Ana", email: "ana@example.com" };
  for (const user_id of ["p-1", "p-2"]) bench.publishRaw({ user_id, ...python });
  bench.publishRaw("no es JSON {", { headers: { user_bucket: "1" } });
  bench.publishRaw("no es JSON {", { headers: { user_bucket: 7 } });
  await eventually(async () => {
    const depths = await Promise.all(PARTITIONS.map((name) => bench.depth(name)));
    assert.deepEqual(depths, [3, 1, 0, 0]);
  });
  await using _again = bench.run(orderedConsumer(() => {
    throw new PermanentError("no");
  }));
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 4));
});

Deno.test("an ordered subscriber works as its own user, with the rights of its slice", async () => {
  await using bench = await Bench.open(broker);
  const consumer = orderedConsumer(undefined, { name: "email", queue: "email_queue" });
  await using _running = bench.run(consumer, { amqpUrl: await bench.urlOf("email") });
  await eventually(async () => {
    assert.equal((await bench.status("email_queue.partition.3")).consumers, 1);
  });
  const ids = await publish(bench, usersNamed(20), 2);
  await assertInOrder(bench, ids, "email");
});

Deno.test("another number of partitions is refused, and dropping them while events wait, too", async () => {
  await using bench = await Bench.open(broker);
  const management = new ManagementClient(broker.managementUrl);
  const urls = [bench.amqpUrl];
  {
    await using _running = bench.run(orderedConsumer());
    await untilConsumed(bench);
    await assert.rejects(dropPartitions(QUEUE, urls, management), /consumer\(s\) stand at them/);
  }
  const more = orderedConsumer(undefined, { ordered: { partitions: 8 } });
  const refused = bench.run(more);
  await assert.rejects(refused.done, (error) => {
    assert.ok(error instanceof TopologyDriftError);
    assert.match(error.message, /ordered_queue\.partitions.*--drop-partitions ordered_queue/);
    return true;
  });
  await assert.rejects(refused.stop(), TopologyDriftError);

  const [id] = await publish(bench, ["u-1"], 1);
  await assert.rejects(dropPartitions(QUEUE, urls, management), (error) => {
    assert.ok(error instanceof MigrationError);
    assert.match(error.message, /1 event\(s\) wait in them.*Nothing was deleted/);
    return true;
  });
  {
    await using _running = bench.run(orderedConsumer());
    await assertInOrder(bench, [id!]);
  }
  const { code, stdout, stderr } = await setupQueues(broker, bench.amqpUrl, [
    "--drop-partitions",
    QUEUE,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Gone: ordered_queue\.partition\.0, /);
  await using _running = bench.run(more);
  await untilConsumed(bench, 1, 8);
  const ids = await publish(bench, usersNamed(30), 3);
  await assertInOrder(bench, [id!, ...ids]);
});

Deno.test("userBucket() is the CRC-32 of the user modulo 64, as other languages compute it", () => {
  // zlib.crc32("u-1".encode()) % 64, …
  assert.deepEqual(["u-1", "José", ""].map(userBucket), [60, 40, 0]);
});
