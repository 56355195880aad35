/** A connection that dies as its set-up ends, or without a word, is replaced, whoever uses it. */
import assert from "node:assert/strict";
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { ConfirmedChannel } from "@ecomarket/shared/broker/confirmed_channel";
import { type ConnectionOptions, openConnection } from "@ecomarket/shared/broker/connection";
import type { LinkUser } from "@ecomarket/shared/broker/link";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { DEAD_LETTER_QUEUE, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const SIGNUP = { nombre: "Juan Pérez", email: "juan@example.com" };

async function assertHandles(bench: Bench, handled: readonly string[], user: string) {
  bench.publishRaw(createUsuarioCreado({ ...SIGNUP, user_id: user }));
  await eventually(() => assert.deepEqual(handled.filter((id) => id === user), [user]));
  assert.equal(await bench.depth("email_queue"), 0);
  assert.equal(await bench.depth(DEAD_LETTER_QUEUE), 0);
}

async function assertConfirms(bench: Bench, publisher: RobustPublisher) {
  const event = createUsuarioCreado(SIGNUP);
  assert.deepEqual(await publisher.publish(event), { status: "confirmed" });
  assert.equal((await bench.only("email_queue")).properties.messageId, event.event_id);
  assert.ok(publisher.isConnected);
}

Deno.test("runSubscriber() consumes although its first connection is closed as its set-up ends", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  proxy.closeBehind("basic.consume-ok");
  const consumer = recordingConsumer();
  await using _running = bench.run(consumer, { amqpUrl: proxy.urlFor(bench.amqpUrl) });
  await eventually(() => assert.equal(proxy.closesBehind, 1));
  await assertHandles(bench, consumer.handled, "later");
});

Deno.test("runSubscriber() consumes although its new connection is closed as its set-up ends", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const consumer = recordingConsumer();
  // With a window of 1 it consumes once for each connection: no other `consume-ok` is meant here.
  const options = { amqpUrl: proxy.urlFor(bench.amqpUrl), prefetch: 1 };
  await using _running = bench.run(consumer, options);
  await assertHandles(bench, consumer.handled, "before");
  proxy.closeBehind("basic.consume-ok");
  proxy.cut();
  await eventually(() => assert.equal(proxy.closesBehind, 1));
  await assertHandles(bench, consumer.handled, "later");
});

Deno.test("RobustPublisher publishes although its first connection is closed as its set-up ends", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  proxy.closeBehind("confirm.select-ok");
  await using publisher = await RobustPublisher.connect({
    urls: [proxy.urlFor(bench.amqpUrl)],
    log: bench.log,
    publishTimeoutMs: 5_000,
  });
  assert.equal(proxy.closesBehind, 1);
  await assertConfirms(bench, publisher);
});

Deno.test("RobustPublisher publishes although its new connection is closed as its set-up ends", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using publisher = await RobustPublisher.connect({
    urls: [proxy.urlFor(bench.amqpUrl)],
    log: bench.log,
    publishTimeoutMs: 5_000,
  });
  await assertConfirms(bench, publisher);
  proxy.closeBehind("confirm.select-ok");
  proxy.cut();
  await eventually(() => assert.equal(proxy.closesBehind, 1));
  await assertConfirms(bench, publisher);
});

/** Opens a connection whose first link is set up by the first of `setups`, the next by the second … */
function connectionOn(
  bench: Bench,
  proxy: TcpProxy,
  setups: ConnectionOptions["setup"][],
  options: Partial<ConnectionOptions> = {},
) {
  return openConnection({
    urls: [proxy.urlFor(bench.amqpUrl)],
    role: "test",
    log: bench.log,
    setup: (link) => {
      const setup = setups.shift();
      assert.ok(setup, "a link was replaced that should stay");
      return setup(link);
    },
    ...options,
  });
}

/** A user that lives, and counts how often it was asked. */
function livingUser(): LinkUser & { asked: number } {
  return {
    asked: 0,
    isAlive() {
      this.asked++;
      return true;
    },
  };
}

Deno.test("openConnection() replaces a link whose user is dead, and leaves one that lives", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const second = livingUser();
  await using _connection = await connectionOn(bench, proxy, [
    () => Promise.resolve({ isAlive: () => false }),
    () => Promise.resolve(second),
  ]);
  await eventually(() => assert.ok(second.asked >= 2));
  assert.equal(proxy.connections, 2);
  assert.equal(proxy.open, 1);
});

Deno.test("openConnection() replaces a link of whose end nothing was heard", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  proxy.closeBehind("confirm.select-ok");
  let second: ConfirmedChannel | undefined;
  await using _connection = await connectionOn(bench, proxy, [
    async (link) => {
      // What its owner listens with is gone: as when it would have come too late.
      link.model.removeAllListeners("close");
      await link.model.createConfirmChannel();
      return livingUser();
    },
    async (link) => {
      const channel = second = await ConfirmedChannel.open(link);
      return { isAlive: () => channel.isOpen };
    },
  ]);
  assert.equal(proxy.closesBehind, 1);
  const channel = await eventually(() => {
    assert.ok(second, "the link was not replaced");
    return second;
  });
  const later = {
    exchange: USER_EVENTS_EXCHANGE,
    routingKey: "",
    ...encode(createUsuarioCreado(SIGNUP)),
  };
  assert.deepEqual(await channel.send(later), { kind: "confirmed" });
});

Deno.test("openConnection() gives a set-up up that is not answered, and tries another one", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  await using _connection = await connectionOn(bench, proxy, [
    () => new Promise<never>(() => {}),
    () => Promise.resolve(livingUser()),
  ], { setupTimeoutMs: 50 });
  assert.equal(proxy.connections, 2);
});
