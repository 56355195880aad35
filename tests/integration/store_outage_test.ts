/** A store that is away: for a moment, or for longer than the broker waits for an ack. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { Store } from "@ecomarket/shared/store/store";
import { lowerAckTimeout, sufferAckTimeout } from "@ecomarket/testbed/broker/ack_timeout";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { eventIds } from "../support/roles.ts";

const broker = brokerOfFile();

function publishSignups(bench: Bench, ...users: readonly string[]): string[] {
  return users.map((user_id) => {
    const event = createUsuarioCreado({ user_id, nombre: "Juan", email: "juan@example.com" });
    const { content, options } = encode(event);
    bench.publishRaw(content.toString(), options);
    return event.event_id;
  }).sort();
}

const effects = (bench: Bench) => eventIds(bench, "email", "handled");
const emailStore = (bench: Bench) => join(bench.directory, "email");

/** `store`, with its calls counted. */
function counted(store: Store) {
  const calls = { commit: 0, checkWritable: 0 };
  const counting: Store = {
    has: (id) => store.has(id),
    commit: (id, effect) => (calls.commit++, store.commit(id, effect)),
    checkWritable: () => (calls.checkWritable++, store.checkWritable()),
    notePause: (pause) => store.notePause(pause),
    forget: (...part) => store.forget(...part),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
  return { calls, store: counting };
}

Deno.test("runSubscriber() calls no handler before its store is known to be writable", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer();
  await using opened = bench.openStore(consumer);
  const { calls, store } = counted(opened);
  let ids: string[];
  await using _running = bench.run(consumer, { store });
  {
    using _lock = lockStore(emailStore(bench));
    ids = publishSignups(bench, "u-1");
    await eventually(() => assert.ok(calls.checkWritable >= 3, "it was looked again and again"));
    assert.deepEqual(consumer.handled, []);
    assert.equal(calls.commit, 0);
  }
  await eventually(() => assert.deepEqual(effects(bench), ids));
  assert.deepEqual(consumer.handled, ["u-1"]);
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue"));
});

Deno.test("runSubscriber() keeps what was finished when its store went away, and commits it once", async () => {
  await using bench = await Bench.open(broker);
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const consumer = recordingConsumer(async () => {
    begun.resolve();
    await finish.promise;
  });
  await using opened = bench.openStore(consumer);
  const { calls, store } = counted(opened);
  await using _running = bench.run(consumer, { store, storePatienceMs: 300 });
  const ids = publishSignups(bench, "u-1");
  await begun.promise;
  {
    using _lock = lockStore(emailStore(bench));
    finish.resolve();
    await eventually(async () => {
      assert.ok(calls.commit >= 2, "the commit was tried again");
      const { ready, consumers } = await bench.status("email_queue");
      assert.deepEqual({ ready, consumers }, { ready: 1, consumers: 0 }, "it went back, and waits");
    });
    assert.deepEqual(effects(bench), []);
  }
  await eventually(() => assert.deepEqual(effects(bench), ids));
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue"));
  assert.deepEqual(consumer.handled, ["u-1"], "the handler ran once");
});

for (const prefetch of [1, 100]) {
  Deno.test(`runSubscriber() with a window of ${prefetch} does everything once after an outage of two ack timeouts`, async () => {
    await using bench = await Bench.open(broker);
    await using _lowered = await lowerAckTimeout(broker.node, 4_000);
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const consumer = recordingConsumer(async () => {
      begun.resolve();
      await finish.promise;
    });
    await using _running = bench.run(consumer, { prefetch });
    const ids = publishSignups(bench, "u-1", "u-2", "u-3");
    await begun.promise;
    {
      using _lock = lockStore(emailStore(bench));
      finish.resolve();
      await sufferAckTimeout(bench.amqpUrl, 2);
      assert.deepEqual(effects(bench), []);
    }
    await eventually(() => assert.deepEqual(effects(bench), ids));
    await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue"));
    assert.deepEqual(consumer.handled.toSorted(), ["u-1", "u-2", "u-3"], "each was handled once");

    const later = publishSignups(bench, "u-4");
    await eventually(() => assert.deepEqual(effects(bench), [...ids, ...later].sort()));
  });
}
