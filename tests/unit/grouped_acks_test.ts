/** Acks in groups: what the broker is told, and what it must never be. */
import assert from "node:assert/strict";
import type { Channel, ConsumeMessage } from "amqplib";
import fc from "fast-check";
import { GroupedAcks } from "../../shared/subscriber/grouped_acks.ts";

function delivery(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}

/** What a channel was told, as the broker understands it: `3` alone, `≤3` with all before it. */
function recorder() {
  const told: string[] = [];
  const acked = new Set<number>();
  const ack: Channel["ack"] = ({ fields: { deliveryTag } }, allUpTo = false) => {
    told.push(`${allUpTo ? "≤" : ""}${deliveryTag}`);
    for (let tag = allUpTo ? 1 : deliveryTag; tag <= deliveryTag; tag++) acked.add(tag);
  };
  const giveBack = (kind: string) => ({ fields }: { fields: { deliveryTag: number } }) => {
    told.push(`${kind}${fields.deliveryTag}`);
  };
  return { told, acked, channel: { ack, nack: giveBack("nack "), reject: giveBack("reject ") } };
}

const unexpected = (reason: Error) => assert.fail(reason);

const NEVER = new AbortController().signal;

Deno.test("GroupedAcks sends what was acked in one turn as one ack", async () => {
  const { told, channel } = recorder();
  const acks = new GroupedAcks(channel, NEVER, unexpected);
  for (const tag of [2, 1, 3]) acks.ack(delivery(tag));
  await Promise.resolve();
  assert.deepEqual(told, ["≤3"]);
});

Deno.test("GroupedAcks acks what is behind an unsettled delivery alone, and together once that is acked", async () => {
  const { told, channel } = recorder();
  const acks = new GroupedAcks(channel, NEVER, unexpected);
  for (const tag of [1, 3, 4]) acks.ack(delivery(tag));
  await Promise.resolve();
  assert.deepEqual(told, ["3", "4", "≤1"]);
  for (const tag of [2, 5]) acks.ack(delivery(tag));
  await Promise.resolve();
  assert.deepEqual(told.slice(3), ["≤5"]);
});

Deno.test("GroupedAcks counts what was given back as settled, and gives it back at once", async () => {
  const { told, channel } = recorder();
  const acks = new GroupedAcks(channel, NEVER, unexpected);
  acks.ack(delivery(1));
  acks.nack(delivery(2));
  acks.reject(delivery(3));
  acks.ack(delivery(4));
  await Promise.resolve();
  assert.deepEqual(told, ["nack 2", "reject 3", "≤4"]);
});

Deno.test("GroupedAcks sends nothing any more once its session has ended", async () => {
  const { told, channel } = recorder();
  const ended = new AbortController();
  const acks = new GroupedAcks(channel, ended.signal, unexpected);
  acks.ack(delivery(1));
  ended.abort();
  await Promise.resolve();
  assert.deepEqual(told, []);
});

Deno.test("GroupedAcks gives its session up where the channel takes no ack any more", async () => {
  const reasons: string[] = [];
  const channel = {
    ...recorder().channel,
    ack() {
      throw new Error("Channel closed");
    },
  };
  new GroupedAcks(channel, NEVER, ({ message }) => reasons.push(message)).ack(delivery(1));
  await Promise.resolve();
  assert.deepEqual(reasons, ["Channel closed"]);
});

Deno.test("GroupedAcks acks exactly what it was given, in whatever order and groups that comes", () => {
  const order = fc.integer({ min: 1, max: 40 }).chain((count) =>
    fc.tuple(
      fc.shuffledSubarray(Array.from({ length: count }, (_, n) => n + 1), { minLength: 0 }),
      fc.array(fc.boolean(), { minLength: count, maxLength: count }),
    )
  );
  fc.assert(fc.property(order, ([tags, flushes]) => {
    const { acked, channel } = recorder();
    const acks = new GroupedAcks(channel, NEVER, unexpected);
    const given = new Set<number>();
    tags.forEach((tag, n) => {
      acks.ack(delivery(tag));
      given.add(tag);
      if (!flushes[n]) return;
      acks.flush();
      assert.deepEqual([...acked].sort(), [...given].sort());
    });
    acks.flush();
    assert.deepEqual([...acked].sort(), [...given].sort());
  }));
});
