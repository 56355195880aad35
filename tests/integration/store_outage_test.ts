/** A store that is away for a moment. */
import assert from "node:assert/strict";
import type { Store } from "@ecomarket/shared/store/store";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { emailStore, handled, publishSignups } from "../support/email_store.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

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
  await eventually(() => assert.deepEqual(handled(bench), ids));
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
    assert.deepEqual(handled(bench), []);
  }
  await eventually(() => assert.deepEqual(handled(bench), ids));
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue"));
  assert.deepEqual(consumer.handled, ["u-1"], "the handler ran once");
});
