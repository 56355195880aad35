/**
 * Retries that the broker delays: where it can (RabbitMQ 4.3 and later), how a failed event comes back,
 * is counted and ends; and on any other broker, that such a subscriber is refused.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { aborted } from "@ecomarket/shared/base/abort";
import { BrokerTooOldError, PermanentError } from "@ecomarket/shared/base/errors";
import { brokerVersion } from "@ecomarket/shared/broker/broker_version";
import {
  ManagementClient,
  readQueue,
  readTopology,
  vhostOf,
} from "@ecomarket/shared/broker/management";
import { monitoredQueueStatus, queueStatus } from "@ecomarket/shared/broker/queue_status";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { knowsNativeRetry, type NativeRetry } from "@ecomarket/shared/contract/native_retry";
import {
  declareTopology,
  subscriberSlice,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { migrateQueues } from "@ecomarket/setup/queues/migrate_queues";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { onlyArchived } from "../support/archive.ts";
import { Bench, type RecordingConsumer, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const QUEUE = "native_queue";
const RETRY: NativeRetry = { retries: 3, minDelayMs: 50, maxDelayMs: 100 };
const SUBSCRIPTION = { queue: QUEUE, exchanges: [USER_EVENTS_EXCHANGE], retry: RETRY };

type Handle = Parameters<typeof recordingConsumer>[0];
type Overrides = Parameters<typeof recordingConsumer>[1];

/** A recording consumer with native retry, and a queue and a name of its own. */
function nativeConsumer(handle?: Handle, overrides: Overrides = {}): RecordingConsumer {
  return recordingConsumer(handle, { name: "native", queue: QUEUE, retry: RETRY, ...overrides });
}

function publishSignup(bench: Bench, user_id: string): string {
  const event = createUsuarioCreado({ user_id, nombre: "Ana", email: "ana@example.com" });
  const { content, options } = encode(event);
  bench.publishRaw(content.toString(), options);
  return event.event_id;
}

/** Each user whose effect is committed, as often as it is. */
function effects(bench: Bench): string[] {
  using db = new DatabaseSync(join(bench.directory, "native", "store.sqlite"), { readOnly: true });
  return db.prepare("SELECT user_id FROM handled ORDER BY user_id").all()
    .map((row) => String(row.user_id));
}

/**
 * What the broker does from 4.3 on. On an older one the same subscriber is refused, and
 * nothing of it is declared.
 */
function whereKnown(body: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    await using bench = await Bench.open(broker);
    const version = brokerVersion(bench.connection);
    if (knowsNativeRetry(version)) return await body(bench);
    const running = bench.run(nativeConsumer());
    await assert.rejects(running.done, (error) => {
      assert.ok(error instanceof BrokerTooOldError);
      assert.ok(error.message.includes(`RabbitMQ ${version}, and delays no retries`));
      assert.ok(error.message.includes(`"${QUEUE}"`));
      assert.match(
        error.message,
        /Use RabbitMQ 4\.3 or later, or take `retry` out of the subscriber/,
      );
      return true;
    });
    await assert.rejects(running.stop(), BrokerTooOldError);
    assert.equal((await queueStatus(bench.connection, [QUEUE]))[QUEUE], null);
  };
}

Deno.test(
  "native retry gives a failed event back after growing delays, with its attempt, in one queue",
  whereKnown(async (bench) => {
    const times: number[] = [];
    const consumer = nativeConsumer((_user, attempt) => {
      times.push(performance.now());
      if (attempt <= 3) throw new Error("the mail server is down");
    });
    await using _running = bench.run(consumer);
    await eventually(async () => assert.equal((await bench.status(QUEUE)).consumers, 1));
    publishSignup(bench, "u-1");
    await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
    assert.deepEqual(consumer.attempts, [1, 2, 3, 4]);
    // n.b. no earlier than asked for; how much later is the machine's affair.
    const waited = times.slice(1).map((time, n) => time - times[n]!);
    for (const [n, leastMs] of [50, 100, 100].entries()) {
      assert.ok(waited[n]! > leastMs - 5, `${n}`);
    }
    const { queues } = await readTopology(
      new ManagementClient(broker.managementUrl),
      vhostOf(bench.amqpUrl),
    );
    const own = queues.map(({ name }) => name).filter((name) => name.startsWith(QUEUE));
    assert.deepEqual(own, [QUEUE]);
    await bench.assertEmpty(QUEUE, "dead_letter_queue");
  }),
);

Deno.test(
  "native retry dead-letters what still fails after the last retry, in the subscriber's own words",
  whereKnown(async (bench) => {
    const consumer = nativeConsumer((user) => {
      throw user === "wrong" ? new PermanentError("no such user") : new Error("the disk is slow");
    });
    await using _running = bench.run(consumer);
    await eventually(async () => assert.equal((await bench.status(QUEUE)).consumers, 1));
    const id = publishSignup(bench, "u-1");
    await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
    const { properties } = await bench.only("dead_letter_queue");
    assert.deepEqual(consumer.attempts, [1, 2, 3, 4]);
    assert.equal(properties.messageId, id);
    const headers = properties.headers!;
    assert.equal(headers["x-failure-reason"], "retries-exhausted");
    assert.equal(headers["x-failure-message"], "the disk is slow");
    assert.equal(headers["x-origin-queue"], QUEUE);
    assert.equal(headers["x-retries"], 3);
    publishSignup(bench, "wrong");
    await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
    const letter = await bench.only("dead_letter_queue");
    assert.equal(letter.properties.headers!["x-failure-reason"], "permanent-error");
    assert.equal(consumer.attempts.length, 5);
  }),
);

Deno.test(
  "native retry keeps the count of an event over a pause of its dependency",
  whereKnown(async (bench) => {
    let isAway = false;
    let pauses = 0;
    const dependency = {
      name: "the server",
      check: () => isAway ? Promise.reject(new Error("caído")) : Promise.resolve(),
    };
    const consumer = nativeConsumer((_user, attempt) => {
      if (attempt === 1) throw new Error("a fault of its own");
      if (pauses++ === 0) isAway = true;
      if (pauses === 1) throw new Error("the server is away");
    }, { dependency });
    await using _running = bench.run(consumer);
    await eventually(async () => assert.equal((await bench.status(QUEUE)).consumers, 1));
    publishSignup(bench, "u-1");
    await eventually(async () => {
      const { ready, consumers } = await bench.status(QUEUE);
      assert.deepEqual({ ready, consumers, pauses }, { ready: 1, consumers: 0, pauses: 1 });
    });
    isAway = false;
    await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
    assert.deepEqual(consumer.attempts, [1, 2, 2]);
  }),
);

Deno.test(
  "native retry dead-letters an event that always ends its consumer, and no innocent one beside it",
  whereKnown(async (bench) => {
    await using proxy = TcpProxy.before(bench.amqpUrl);
    const gate = { isFlowing: true };
    const consumer = nativeConsumer(async (user, _attempt, signal) => {
      if (user === "guilty") {
        await delay(10, undefined, { signal });
        proxy.cut();
        await aborted(signal);
        throw signal.reason;
      }
      // It takes longer than the guilty one: whatever is in hand with that is not done.
      await delay(40, undefined, { signal });
    }, { retry: { ...RETRY, minDelayMs: 500, maxDelayMs: 500 } });
    await using archive = bench.run(deadLetterConsumer);
    await using _running = bench.run(consumer, { amqpUrl: proxy.urlFor(bench.amqpUrl) });
    await eventually(async () => assert.equal((await bench.status(QUEUE)).consumers, 1));
    // New events come all the time: the window is open when what came back is given out again.
    const users: string[] = [];
    const flow = (async () => {
      for (let n = 0; gate.isFlowing; n++) {
        users.push(`u-${String(n).padStart(5, "0")}`);
        publishSignup(bench, users.at(-1)!);
        await delay(5);
      }
    })();
    await eventually(() => assert.ok(consumer.handled.length > 5));
    const id = publishSignup(bench, "guilty");
    const letter = await eventually(() => onlyArchived(bench), 60_000);
    gate.isFlowing = false;
    await flow;
    assert.equal(letter.message_id, id);
    assert.equal(letter.reason, "delivery_limit");
    assert.equal(letter.retries, 3);
    assert.equal(proxy.cuts, 4);
    await eventually(() => assert.deepEqual(effects(bench), users));
    await eventually(() => bench.assertEmpty(QUEUE));
    assert.equal((await onlyArchived(bench)).message_id, id);
    await archive.stop();
  }),
);

/** Declares the queue with retries after `delayMs`, and fails the one event in it. */
async function failOnce(bench: Bench, delayMs: number): Promise<string> {
  const retry = { ...RETRY, minDelayMs: delayMs, maxDelayMs: delayMs };
  await declareTopology(bench.channel, subscriberSlice({ ...SUBSCRIPTION, retry }, []));
  const id = publishSignup(bench, "u-1");
  await eventually(async () => assert.equal(await bench.depth(QUEUE), 1));
  const message = await bench.channel.get(QUEUE);
  assert.ok(message);
  bench.channel.reject(message, true);
  return id;
}

Deno.test(
  "what waits for a native retry is told by the management API, and by nothing else",
  whereKnown(async (bench) => {
    await failOnce(bench, 60_000);
    const management = new ManagementClient(broker.managementUrl);
    await eventually(async () => {
      const all = await monitoredQueueStatus(management, vhostOf(bench.amqpUrl), [QUEUE]);
      assert.deepEqual(all[QUEUE], { ready: 0, consumers: 0, delayed: 1 });
    }, 20_000);
    assert.equal(await bench.depth(QUEUE), 0);
  }),
);

Deno.test(
  "setup-queues --migrate takes native retry from a queue, and loses nothing that waits for one",
  whereKnown(async (bench) => {
    const id = await failOnce(bench, 3_000);
    const management = new ManagementClient(broker.managementUrl);
    const classic = subscriberSlice({ ...SUBSCRIPTION, retry: undefined }, [50]);
    const said: string[] = [];
    const options = { urls: [bench.amqpUrl], management, say: (line: string) => said.push(line) };
    await migrateQueues(classic, options);
    assert.ok(said.some((line) => line.includes("its retries may wait for 3 s")), said.join("\n"));
    const { arguments: args } = await readQueue(management, vhostOf(bench.amqpUrl), QUEUE);
    assert.equal(args["x-delayed-retry-type"], undefined);
    await eventually(async () => assert.equal(await bench.depth(QUEUE), 1));
    assert.equal((await bench.only(QUEUE)).properties.messageId, id);
  }),
);

Deno.test("setup-queues --migrate gives a queue native retry where the broker knows it, and changes nothing elsewhere", async () => {
  await using bench = await Bench.open(broker);
  const classic = { ...SUBSCRIPTION, retry: undefined };
  await declareTopology(bench.channel, subscriberSlice(classic, [50]));
  const id = publishSignup(bench, "u-1");
  await eventually(async () => assert.equal(await bench.depth(QUEUE), 1));
  const management = new ManagementClient(broker.managementUrl);
  const options = { urls: [bench.amqpUrl], management, say: () => {} };
  const migrating = migrateQueues(subscriberSlice(SUBSCRIPTION, []), options);
  const isKnown = knowsNativeRetry(brokerVersion(bench.connection));
  if (isKnown) await migrating;
  else await assert.rejects(migrating, BrokerTooOldError);
  const { arguments: args } = await readQueue(management, vhostOf(bench.amqpUrl), QUEUE);
  assert.equal(args["x-delayed-retry-type"], isKnown ? "failed" : undefined);
  assert.equal((await bench.only(QUEUE)).properties.messageId, id);
});
