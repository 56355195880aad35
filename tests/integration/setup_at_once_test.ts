/** The first `setup-queues`, while events are published: none of them reaches some queues only. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { ManagementClient, readTopology, vhostOf } from "@ecomarket/shared/broker/management";
import {
  fullTopology,
  setupExchange,
  SUBSCRIBER_QUEUES,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { testVhost } from "@ecomarket/testbed/broker/test_broker";
import { declareAmongOthers, declareAtOnce } from "../../setup/queues/declare_at_once.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { diffTopology, leftovers } from "../../setup/queues/topology_diff.ts";
import { eventually } from "../support/eventually.ts";
import { setupQueues } from "../support/setup_command.ts";

const broker = brokerOfFile();

const QUEUES = Object.values(SUBSCRIBER_QUEUES);
/** Slow enough that many events are published between any two declarations. */
const BYTES_PER_SECOND = 5_000;

async function connected(amqpUrl: string): Promise<ChannelModel & AsyncDisposable> {
  const connection = await connect(amqpUrl);
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

/** Publishes to the events exchange, one event after the other, and knows which nobody will read. */
class Publisher {
  readonly confirmed: string[] = [];
  readonly returned = new Set<string>();

  private constructor(
    readonly publish: (id: string) => Promise<void>,
  ) {}

  static async open(connection: ChannelModel): Promise<Publisher> {
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange(USER_EVENTS_EXCHANGE, "fanout", { durable: true });
    const publisher = new Publisher(async (id) => {
      channel.publish(USER_EVENTS_EXCHANGE, "", Buffer.from(id), {
        mandatory: true,
        messageId: id,
      });
      await channel.waitForConfirms();
      if (!publisher.returned.has(id)) publisher.confirmed.push(id);
    });
    channel.on("return", ({ properties }) => publisher.returned.add(properties.messageId));
    return publisher;
  }
}

/** Demands that each queue has each of `ids` once, and nothing else. */
async function assertInEachQueue(channel: Channel, ids: readonly string[]): Promise<void> {
  for (const queue of QUEUES) {
    const found: string[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (!message) break;
      found.push(message.content.toString());
    }
    assert.deepEqual(found.sort(), [...ids].sort(), queue);
  }
}

Deno.test("setup-queues gives every event that is confirmed while it runs to every queue, once", async () => {
  await using vhost = await testVhost(broker);
  await using connection = await connected(vhost.amqpUrl);
  const publisher = await Publisher.open(connection);
  await using proxy = TcpProxy.before(vhost.amqpUrl);
  proxy.slow(BYTES_PER_SECOND);

  let isRunning = true;
  const command = setupQueues(broker, proxy.urlFor(vhost.amqpUrl))
    .finally(() => isRunning = false);
  for (let n = 0; isRunning; n++) await publisher.publish(`e-${n}`);
  const { code, stderr } = await command;
  assert.equal(code, 0, stderr);
  await publisher.publish("after");

  assert.ok(proxy.bytesSlowed > 0);
  assert.ok(publisher.returned.size > 0, "some came before the queues were joined");
  assert.ok(publisher.confirmed.length > 1, "some came while they were being bound");
  await assertInEachQueue(await connection.createChannel(), publisher.confirmed);
});

/** A channel that does `work` after each declaration, and breaks down instead of the one after `max`. */
function watched(channel: Channel, work: () => Promise<void>, max = Infinity) {
  const steps: string[] = [];
  const proxy = new Proxy(channel, {
    get(target, name: keyof Channel) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (steps.length >= max) throw new Error("broken down");
        steps.push([name, ...args.filter((arg) => typeof arg === "string")].join(" "));
        const result = await method.apply(target, args);
        await work();
        return result;
      };
    },
  });
  return { channel: proxy, steps };
}

Deno.test("declareAtOnce() joins all queues or none, wherever it is ended, and finishes when it is run again", async () => {
  const topology = fullTopology([]);
  const countSteps = async () => {
    await using vhost = await testVhost(broker);
    await using connection = await connected(vhost.amqpUrl);
    const whole = watched(await connection.createChannel(), () => Promise.resolve());
    await declareAtOnce(whole.channel, topology);
    return whole.steps;
  };
  const steps = await countSteps();
  const first = steps.findIndex((step) => step.includes(setupExchange(USER_EVENTS_EXCHANGE)));
  assert.ok(first > 0 && steps.length - first > 2 * QUEUES.length);

  for (let max = first; max <= steps.length; max++) {
    await using vhost = await testVhost(broker);
    await using connection = await connected(vhost.amqpUrl);
    const channel = await connection.createChannel();
    const publisher = await Publisher.open(connection);
    let n = 0;
    const probe = () => publisher.publish(`e-${n++}`);
    const ended = declareAtOnce(watched(channel, probe, max).channel, topology);
    if (max < steps.length) await assert.rejects(ended, /broken down/);
    else await ended;
    await declareAtOnce(watched(channel, probe).channel, topology);
    await probe();
    assert.ok(publisher.returned.size > 0 && publisher.confirmed.length > 0);
    await assertInEachQueue(channel, publisher.confirmed);
    await assert.rejects(
      (await connection.createChannel().then((other) => (other.on("error", () => {}), other)))
        .checkExchange(setupExchange(USER_EVENTS_EXCHANGE)),
      /NOT.FOUND/,
    );
  }
});

Deno.test("setup-queues is done although another one, that is done first, takes away what both join by", async () => {
  await using vhost = await testVhost(broker);
  await using proxy = TcpProxy.before(vhost.amqpUrl);
  proxy.slow(BYTES_PER_SECOND);
  await using connection = await connected(vhost.amqpUrl);
  const channel = await connection.createChannel();
  const joining = setupExchange(USER_EVENTS_EXCHANGE);
  const isThere = async () => {
    const asking = await connection.createChannel();
    asking.on("error", () => {});
    return await asking.checkExchange(joining).then(
      () => asking.close().then(() => true),
      () => false,
    );
  };
  const done = setupQueues(broker, proxy.urlFor(vhost.amqpUrl));
  await eventually(async () => assert.ok(await isThere()));
  await channel.deleteExchange(joining);
  const { code, stderr } = await done;
  assert.equal(code, 0, stderr);
  const { code: checked, stderr: differences } = await setupQueues(broker, vhost.amqpUrl, [
    "--check",
  ]);
  assert.equal(checked, 0, differences);
});

Deno.test("declareAmongOthers() is done by each of many at once, and all stands once", async () => {
  const topology = fullTopology([200]);
  await using vhost = await testVhost(broker);
  for (let round = 0; round < 20; round++) {
    const all = Array.from({ length: 6 }, () => declareAmongOthers([vhost.amqpUrl], topology));
    await Promise.all(all);
  }
  const standing = await readTopology(
    new ManagementClient(broker.managementUrl),
    vhostOf(vhost.amqpUrl),
  );
  assert.deepEqual(diffTopology(topology, standing), []);
  assert.deepEqual(leftovers(topology, standing), []);
});

Deno.test("declareAmongOthers() is done although the broker ends its connection with an internal error", async () => {
  await using vhost = await testVhost(broker);
  await using proxy = TcpProxy.before(vhost.amqpUrl);
  proxy.closeBehind("exchange.declare-ok", undefined, 541);
  await declareAmongOthers([proxy.urlFor(vhost.amqpUrl)], fullTopology([200]));
  assert.equal(proxy.closesBehind, 1);

  proxy.closeBehind("exchange.declare-ok", undefined, 320);
  const shutDown = declareAmongOthers([proxy.urlFor(vhost.amqpUrl)], fullTopology([200]));
  await assert.rejects(shutDown);
});
