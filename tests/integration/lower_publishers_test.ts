/** The workshop's first two levels: what they do promise, and what they do not. */
import assert from "node:assert/strict";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { SUBSCRIBER_QUEUES, USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { PersistentPublisher } from "../../publisher/levels/persistent_publisher.ts";
import { SimplePublisher } from "../../publisher/levels/simple_publisher.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const LEVELS = [
  { level: "SimplePublisher", connect: SimplePublisher.connect, deliveryMode: 1 },
  { level: "PersistentPublisher", connect: PersistentPublisher.connect, deliveryMode: 2 },
] as const;

function signup(n = 0) {
  return createUsuarioCreado({ nombre: `Íñigo ${n}`, email: `inigo${n}@example.com` });
}

for (const { level, connect, deliveryMode } of LEVELS) {
  Deno.test(`${level}.close() lets everything leave that was sent, on a link that holds`, async () => {
    await using bench = await Bench.open(broker);
    // n.b. a quorum queue may drop what it has not confirmed when the channel closes, and nobody asked
    // it for confirms: a classic queue shows what left the publisher.
    await bench.channel.assertQueue("classic_queue", { durable: true });
    await bench.channel.bindQueue("classic_queue", USER_EVENTS_EXCHANGE, "");
    const events = Array.from({ length: 3_000 }, (_, n) => signup(n));
    {
      await using publisher = await connect([bench.amqpUrl]);
      for (const event of events) {
        assert.deepEqual(await publisher.publish(event), { status: "sent" });
      }
    }
    await eventually(async () => assert.equal(await bench.depth("classic_queue"), events.length));
    const [first] = await bench.drain("classic_queue");
    assert.equal(first?.properties.deliveryMode, deliveryMode);
    assert.deepEqual(JSON.parse(String(first?.content)), events[0]);
  });

  Deno.test(`${level}.publish() says sent although nobody will read the event`, async () => {
    await using bench = await Bench.open(broker);
    for (const queue of Object.values(SUBSCRIBER_QUEUES)) {
      await bench.channel.unbindQueue(queue, USER_EVENTS_EXCHANGE, "");
    }
    await using publisher = await connect([bench.amqpUrl]);
    assert.deepEqual(await publisher.publish(signup()), { status: "sent" });
  });

  Deno.test(`${level}.publish() says unsent once the link is gone, and does not come back`, async () => {
    await using bench = await Bench.open(broker);
    await using proxy = TcpProxy.before(bench.amqpUrl);
    await using publisher = await connect([proxy.urlFor(bench.amqpUrl)]);
    proxy.cut();
    await eventually(async () =>
      assert.equal((await publisher.publish(signup())).status, "unsent")
    );
  });

  Deno.test(`${level}.close() is bounded on a link that is stalled`, async () => {
    await using bench = await Bench.open(broker);
    await using proxy = TcpProxy.before(bench.amqpUrl);
    const publisher = await connect([proxy.urlFor(bench.amqpUrl)]);
    proxy.stall();
    await publisher.publish(signup());
    await publisher.close();
    assert.ok(proxy.bytesHeld > 0);
    assert.equal(await bench.depth("email_queue"), 0, "sent, and lost");
  });
}
