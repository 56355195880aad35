/** RobustPublisher against a real broker: each outcome, and each way back from a broken link. */
import assert from "node:assert/strict";
import type { PublishOutcome } from "@ecomarket/publisher/levels/publisher";
import {
  RobustPublisher,
  type RobustPublisherOptions,
} from "@ecomarket/publisher/levels/robust_publisher";
import {
  AccessRefusedError,
  BrokerUnreachableError,
  InvalidMessageError,
  TopologyMissingError,
} from "@ecomarket/shared/base/errors";
import { vhostOf } from "@ecomarket/shared/broker/management";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import {
  DEAD_LETTER_QUEUE,
  SUBSCRIBER_QUEUES,
  USER_EVENTS_EXCHANGE,
} from "@ecomarket/shared/contract/topology";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { management } from "@ecomarket/testbed/broker/test_broker";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { recordQueueOn } from "../support/queue_record.ts";

const broker = brokerOfFile();

const QUEUES = Object.values(SUBSCRIBER_QUEUES);

function signup(n = 0): UsuarioCreado {
  return createUsuarioCreado({ nombre: `Íñigo Ñáñez 🌱 ${n}`, email: `inigo${n}@example.com` });
}

function signups(count: number): UsuarioCreado[] {
  return Array.from({ length: count }, (_, n) => signup(n));
}

type Options = Partial<RobustPublisherOptions>;

function publisherOn(bench: Bench, options: Options = {}): Promise<RobustPublisher> {
  return RobustPublisher.connect({ urls: [bench.amqpUrl], log: bench.log, ...options });
}

function publisherBehind(proxy: TcpProxy, bench: Bench, options: Options = {}) {
  return publisherOn(bench, { urls: [proxy.urlFor(bench.amqpUrl)], ...options });
}

/** Binds one more queue, `full_queue`, that refuses events once it holds a few. */
async function bindFullQueue({ channel }: Bench): Promise<void> {
  // n.b. a quorum queue lets a few more in than its limit before it refuses.
  await channel.assertQueue("full_queue", {
    arguments: { "x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish" },
  });
  await channel.bindQueue("full_queue", USER_EVENTS_EXCHANGE, "");
}

/** Each status in which one of `publishing` settles. */
async function statuses(publishing: readonly Promise<PublishOutcome>[]): Promise<string[]> {
  return [...new Set((await Promise.all(publishing)).map(({ status }) => status))];
}

Deno.test("publish() confirms an event that every subscriber's queue holds, with its metadata", async () => {
  await using bench = await Bench.open(broker);
  await using publisher = await publisherOn(bench);
  const event = signup();
  assert.deepEqual(await publisher.publish(event), { status: "confirmed" });
  for (const queue of QUEUES) {
    const { content, properties } = await bench.only(queue);
    assert.deepEqual(JSON.parse(content.toString()), event);
    assert.equal(properties.messageId, event.event_id);
    assert.equal(properties.type, "UsuarioCreado");
    assert.equal(properties.contentType, "application/json");
    assert.equal(properties.deliveryMode, 2);
    assert.equal(properties.timestamp, Math.floor(Date.parse(event.timestamp) / 1000));
    assert.equal(properties.appId, "ecomarket-events");
  }
});

Deno.test("publish() settles with returned, and says what to run, when no queue is bound", async () => {
  await using bench = await Bench.open(broker);
  for (const queue of QUEUES) await bench.channel.unbindQueue(queue, USER_EVENTS_EXCHANGE, "");
  await using publisher = await publisherOn(bench);
  const outcome = await publisher.publish(signup());
  assert.equal(outcome.status, "returned");
  assert.match(outcome.status === "returned" ? outcome.error.message : "", /setup-queues/);
});

Deno.test("publish() rejects an event that breaks the contract, and sends nothing", async () => {
  await using bench = await Bench.open(broker);
  await using publisher = await publisherOn(bench);
  await assert.rejects(publisher.publish({ ...signup(), email: "juan@" }), InvalidMessageError);
  assert.equal(await bench.depth("email_queue"), 0);
});

Deno.test("connect() rejects when the events exchange is missing, and says what to run", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteExchange(USER_EVENTS_EXCHANGE);
  await assert.rejects(publisherOn(bench), (error: Error) => {
    assert.ok(error instanceof TopologyMissingError);
    assert.match(error.message, /user_events.*setup-queues/);
    return true;
  });
});

Deno.test("publish() does not hang when the exchange is deleted behind its back", async () => {
  await using bench = await Bench.open(broker);
  await using publisher = await publisherOn(bench);
  assert.equal((await publisher.publish(signup())).status, "confirmed");
  await bench.channel.deleteExchange(USER_EVENTS_EXCHANGE);
  const outcome = await publisher.publish(signup());
  assert.ok(outcome.status === "ambiguous" || outcome.status === "returned");
  assert.match(outcome.error.message, /does not exist.*setup-queues/);
});

Deno.test("connect() rejects within its timeout when nothing listens", async () => {
  await using bench = await Bench.open(broker);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const urls = [`amqp://user:secreto@127.0.0.1:${port}`];
  await assert.rejects(publisherOn(bench, { urls, connectTimeoutMs: 300 }), (error: Error) => {
    assert.ok(error instanceof BrokerUnreachableError);
    assert.match(error.message, /ECONNREFUSED.*broker start/);
    assert.doesNotMatch(error.message, /secreto/);
    return true;
  });
});

Deno.test("connect() rejects within its timeout when the other side accepts and says nothing", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  proxy.stall();
  const urls = [proxy.urlFor(bench.amqpUrl)];
  const connecting = publisherOn(bench, { urls, connectTimeoutMs: 300 });
  await assert.rejects(connecting, BrokerUnreachableError);
  assert.ok(proxy.bytesHeld > 0);
});

Deno.test("connect() rejects at once when the broker refuses the credentials", async () => {
  await using bench = await Bench.open(broker);
  const url = new URL(bench.amqpUrl);
  url.password = "equivocada";
  await assert.rejects(publisherOn(bench, { urls: [url.href] }), (error: Error) => {
    assert.ok(error instanceof AccessRefusedError);
    assert.doesNotMatch(error.message, /equivocada/);
    return true;
  });
});

Deno.test("connect() takes the node of a list that answers", async () => {
  await using bench = await Bench.open(broker);
  await using publisher = await publisherOn(bench, {
    urls: ["amqp://127.0.0.1:1", "amqp://127.0.0.1:2", bench.amqpUrl],
  });
  assert.equal((await publisher.publish(signup())).status, "confirmed");
});

Deno.test("publish() confirms all of a batch while the link is cut again and again", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await publisherBehind(proxy, bench, { window: 50 });
  const events = signups(1_000);
  const publishing = events.map((event, n) => {
    const outcome = publisher.publish(event);
    if (n % 250 === 249) void outcome.then(() => proxy.cut());
    return outcome;
  });
  assert.deepEqual(await statuses(publishing), ["confirmed"]);
  assert.ok(proxy.cuts >= 3, `the link was cut ${proxy.cuts} times`);

  const later = signup();
  assert.equal((await publisher.publish(later)).status, "confirmed");
  for (const queue of QUEUES) {
    const ids = new Set(await bench.drainIds(queue));
    assert.deepEqual(ids, new Set([...events, later].map((event) => event.event_id)));
  }
});

Deno.test("publish() republishes with the same event_id when the link is cut in the middle of a frame", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await publisherBehind(proxy, bench);
  proxy.cutInNextChunk();
  const event = signup();
  assert.equal((await publisher.publish(event)).status, "confirmed");
  assert.ok(proxy.cuts >= 1);
  assert.deepEqual(new Set(await bench.drainIds("email_queue")), new Set([event.event_id]));
});

Deno.test("publish() gives a link up that confirms nothing, and confirms on the next one", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await publisherBehind(proxy, bench, { confirmTimeoutMs: 300 });
  proxy.stall();
  const outcome = publisher.publish(signup());
  // The stalled connection is given up; new ones stall as well until the link is restored.
  await eventually(() => assert.ok(proxy.connections >= 2));
  assert.ok(proxy.bytesHeld > 0);
  proxy.restore();
  assert.equal((await outcome).status, "confirmed");
});

Deno.test("publish() settles with ambiguous when the deadline passes after the event was written", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const publisher = await publisherBehind(proxy, bench, { publishTimeoutMs: 400 });
  proxy.stall();
  const outcome = await publisher.publish(signup());
  assert.equal(outcome.status, "ambiguous");
  proxy.restore();
  await publisher.close();
});

Deno.test("publish() settles with unsent when there is no connection until the deadline", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await publisherBehind(proxy, bench, { publishTimeoutMs: 500 });
  proxy.refuse();
  await eventually(() => assert.ok(proxy.cuts >= 2, "a reconnection was refused"));
  const outcome = await publisher.publish(signup());
  assert.equal(outcome.status, "unsent");
  proxy.restore();
  const later = await eventually(async () => {
    const settled = await publisher.publish(signup());
    assert.equal(settled.status, "confirmed");
    return settled;
  });
  assert.equal(later.status, "confirmed");
});

Deno.test("publish() keeps at most maxOutstanding events in memory, and says unsent at once to more", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await publisherBehind(proxy, bench, { maxOutstanding: 10 });
  proxy.stall();
  const kept = signups(10).map((event) => publisher.publish(event));
  const refused = await publisher.publish(signup());
  assert.equal(refused.status, "unsent");
  proxy.restore();
  assert.deepEqual(await statuses(kept), ["confirmed"]);
});

Deno.test("publish() has at most window events unconfirmed on the wire", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await publisherBehind(proxy, bench, {
    window: 3,
    publishTimeoutMs: 60_000,
  });
  proxy.stall();
  const event = signup();
  const sizeOfOne = JSON.stringify(event).length;
  const publishing = Array.from({ length: 50 }, () => publisher.publish(event));
  await eventually(() => assert.ok(proxy.bytesHeld >= 3 * sizeOfOne));
  // n.b. three events with their properties, and far from fifty.
  assert.ok(proxy.bytesHeld < 6 * sizeOfOne, `${proxy.bytesHeld} bytes were written`);
  proxy.restore();
  assert.deepEqual(await statuses(publishing), ["confirmed"]);
});

Deno.test("publish() settles with nacked when the broker refuses the event until the deadline", async () => {
  await using bench = await Bench.open(broker);
  await bindFullQueue(bench);
  await using publisher = await publisherOn(bench, { publishTimeoutMs: 1_000 });
  const outcomes: PublishOutcome[] = [];
  await eventually(async () => {
    outcomes.push(await publisher.publish(signup()));
    assert.equal(outcomes.at(-1)?.status, "nacked");
  });
});

Deno.test("publish() confirms after a nack, once the broker takes the event again", async () => {
  await using bench = await Bench.open(broker);
  await bindFullQueue(bench);
  await using probing = await publisherOn(bench, { publishTimeoutMs: 300 });
  await eventually(async () => {
    assert.equal((await probing.publish(signup())).status, "nacked");
  });
  await using publisher = await publisherOn(bench);
  const event = signup();
  const outcome = publisher.publish(event);
  // The queue refuses others meanwhile, and the event is not settled: it was refused as well.
  const first = await Promise.race([outcome, probing.publish(signup())]);
  assert.equal(first.status, "nacked");
  // n.b. it may come while there is still something to be taken out.
  const drained = await bench.drainIds("full_queue");
  assert.equal((await outcome).status, "confirmed");
  assert.ok([...drained, ...await bench.drainIds("full_queue")].includes(event.event_id));
});

Deno.test("publish() confirms after the broker has closed every connection", async () => {
  await using bench = await Bench.open(broker);
  await using publisher = await publisherOn(bench, { role: "to be closed" });
  const name = await eventually(async () => {
    const connections = await management(broker, "GET", "/api/connections") as {
      name: string;
      client_properties: { connection_name?: string };
    }[];
    const ours = connections.find(({ client_properties }) =>
      client_properties.connection_name === "ecomarket to be closed"
    );
    assert.ok(ours);
    return ours.name;
  });
  await management(broker, "DELETE", `/api/connections/${encodeURIComponent(name)}`);
  const publishing = signups(100).map((event) => publisher.publish(event));
  assert.deepEqual(await statuses(publishing), ["confirmed"]);
  assert.equal(new Set(await bench.drainIds("loyalty_queue")).size, 100);
});

Deno.test("close() waits for what is under way", async () => {
  await using bench = await Bench.open(broker);
  const publisher = await publisherOn(bench);
  const outcomes = signups(300).map((event) => publisher.publish(event));
  await publisher.close();
  assert.deepEqual(await statuses(outcomes), ["confirmed"]);
  assert.equal((await publisher.publish(signup())).status, "unsent");
  assert.equal(new Set(await bench.drainIds("analytics_queue")).size, 300);
  assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 0);
});

Deno.test("publish() leaves a channel on which the broker refuses everything", async () => {
  await using bench = await Bench.open(broker);
  // As in the moment in which a cluster has lost a queue's node: every channel that is opened now
  // asks that node, for good.
  const recordAs = (node: string) =>
    recordQueueOn(broker.node, { vhost: vhostOf(bench.amqpUrl), queue: "email_queue", node });
  await recordAs("gone@localhost");
  await using publisher = await publisherOn(bench);
  const event = signup();
  const outcome = publisher.publish(event);
  await using hasty = await publisherOn(bench, { publishTimeoutMs: 300 });
  assert.equal((await hasty.publish(signup(1))).status, "nacked");

  await recordAs(broker.node.spec.name);
  assert.deepEqual(await outcome, { status: "confirmed" });
  assert.deepEqual(await bench.drainIds("email_queue"), [event.event_id]);
});
