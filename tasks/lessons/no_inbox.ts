/** Between the effect and its ack a consumer can die: the same event comes again. */
import { subscriberSlice, SUBSCRIPTIONS } from "@ecomarket/shared/contract/topology";
import { idsOf, signups } from "@ecomarket/testbed/events/signups";
import { LogWatch } from "@ecomarket/testbed/processes/log_watch";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { type Account, accountOf } from "./account.ts";
import type { Lesson } from "./lesson.ts";
import { REAL_CONSUMER, type Side } from "./stage/side.ts";

const EVENTS = 10;

/** Both sides die in the same moment: the effect is committed, and the ack does not get through. */
const FAULT = "kill -9 after the effect and before the ack is with the broker, and a new start.";

async function naive(side: Side): Promise<Account> {
  await side.declare(subscriberSlice(SUBSCRIPTIONS.email, []));
  const events = signups(EVENTS);
  const ids = idsOf(events);
  await side.publish(events);
  const link = side.link();
  const amqpUrl = link.urlFor(side.amqpUrl);
  const victim = side.startNaive("no_inbox", { pause: true, amqpUrl });
  await victim.handling(ids[0]!);
  link.stall();
  await victim.goOn();
  await victim.done(ids[0]!);
  await side.until("the ack on its way", () => link.bytesHeld > 0);
  await victim.kill();
  link.cut();
  side.stage.say(`without an inbox: ${FAULT}`);

  const successor = side.startNaive("no_inbox");
  await successor.done(ids.at(-1)!);
  const deliveries = victim.deliveries + successor.deliveries;
  return accountOf(ids, { effects: side.effects(), deliveries });
}

async function real(side: Side): Promise<Account> {
  await side.declare(subscriberSlice(SUBSCRIPTIONS.email, REAL_CONSUMER.delaysMs));
  const events = signups(EVENTS);
  const link = side.link();
  const log = new LogWatch();
  const isHeldUp = log.next(
    "the email consumer at its commit",
    ({ message }) => /locked/.test(message),
  );
  const amqpUrl = link.urlFor(side.amqpUrl);
  const victim = await side.startEmail({ amqpUrl, env: REAL_CONSUMER.env, onRecord: log.onRecord });
  {
    using _lock = lockStore(side.dataDirOf("email"));
    await side.publish(events);
    await isHeldUp;
    link.stall();
  }
  await side.untilHandled(1);
  await side.until("the ack on its way", () => link.bytesHeld > 0);
  await victim.kill();
  link.cut();
  side.stage.say(`with an inbox: ${FAULT}`);

  const secondLife = new LogWatch();
  await side.startEmail({ env: REAL_CONSUMER.env, onRecord: secondLife.onRecord });
  const settled = () => secondLife.handled + secondLife.duplicates;
  await side.until("each event acknowledged", () => settled() === EVENTS);
  side.stage.say(`with an inbox: recognised as already done: ${secondLife.duplicates}.`);
  return accountOf(idsOf(events), {
    effects: side.effects(),
    // Each one once in the second life, and those that came back once in the first.
    deliveries: settled() + secondLife.redeliveries,
  });
}

export const noInbox: Lesson = {
  name: "no-inbox",
  summary: "A consumer is killed after its effect and before its ack",
  before: "no inbox",
  after: "inbox",
  harm: "doubled",
  why:
    "The broker must hand out again what was not acknowledged, also where the effect was done. " +
    "The inbox holds the event's id in the same transaction as the effect, so that the second " +
    "delivery is recognised and changes nothing.",
  async run(stage) {
    return {
      before: await naive(await stage.side("before")),
      after: await real(await stage.side("after")),
    };
  },
};
