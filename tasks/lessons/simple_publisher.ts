/** A transient message does not outlive the broker, though its queue is durable. */
import type { Level } from "@ecomarket/publisher/levels/levels";
import { connectPublisher } from "@ecomarket/publisher/levels/levels";
import { roleLogger } from "@ecomarket/shared/process/log";
import { idsOf, signups } from "@ecomarket/testbed/events/signups";
import { accountOf } from "./account.ts";
import type { Lesson } from "./lesson.ts";
import { CLASSIC_QUEUE } from "./stage/classic_queue.ts";
import type { Side } from "./stage/side.ts";

const EVENTS = 100;

/** Publishes at `level`, and waits until every event is in the queue. @returns their ids. */
async function fillQueue(side: Side, level: Level): Promise<string[]> {
  await side.declare(CLASSIC_QUEUE);
  const urls = [side.amqpUrl];
  const events = signups(EVENTS);
  await using publisher = await connectPublisher(level, { urls, log: roleLogger("publisher") });
  for (const event of events) await publisher.publish(event);
  await side.untilWaiting(EVENTS);
  return idsOf(events);
}

export const simplePublisher: Lesson = {
  name: "simple-publisher",
  summary: "Events wait in a durable queue, and the broker restarts",
  before: "SimplePublisher",
  after: "PersistentPublisher",
  harm: "lost",
  why:
    "A durable queue outlives the broker; what is in it does only if each message is persistent " +
    "(delivery_mode 2). Nobody was told of the loss: the broker restarted without an error.",
  async run(stage) {
    const before = await stage.side("before");
    const after = await stage.side("after");
    const transient = await fillQueue(before, "simple");
    stage.say(`${EVENTS} events of SimplePublisher wait in a classic durable queue.`);
    const persistent = await fillQueue(after, "persistent");
    stage.say(`${EVENTS} events of PersistentPublisher wait in another one.`);
    stage.say("The broker stops and starts again (about ten seconds) …");
    await stage.restartBroker();
    return {
      before: accountOf(transient, { waiting: await before.takeAll() }),
      after: accountOf(persistent, { waiting: await after.takeAll() }),
    };
  },
};
