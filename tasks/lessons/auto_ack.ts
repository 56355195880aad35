/** What the broker has forgotten before it was done is lost with the process that held it. */
import { subscriberSlice, SUBSCRIPTIONS } from "@ecomarket/shared/contract/topology";
import { idsOf, signups } from "@ecomarket/testbed/events/signups";
import { LogWatch } from "@ecomarket/testbed/processes/log_watch";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { type Account, accountOf } from "./account.ts";
import type { Lesson } from "./lesson.ts";
import { REAL_CONSUMER, type Side } from "./stage/side.ts";

const EVENTS = 10;

async function naive(side: Side): Promise<Account> {
  const { say } = side.stage;
  await side.declare(subscriberSlice(SUBSCRIPTIONS.email, []));
  const events = signups(EVENTS);
  const ids = idsOf(events);
  const [first, second] = ids;
  await side.publish(events);
  const victim = side.startNaive("auto_ack", { pause: true });
  await victim.handling(first!);
  await victim.goOn();
  await victim.handling(second!);
  await victim.delivered(EVENTS);
  await victim.kill();
  say(`noAck: kill -9 while it handles the second of ${EVENTS} events, and a new start.`);

  side.startNaive("auto_ack");
  await side.untilConsumed(1);
  const waiting = await side.takeAll();
  return accountOf(ids, { effects: side.effects(), waiting, deliveries: victim.deliveries });
}

async function real(side: Side): Promise<Account> {
  const { say } = side.stage;
  await side.declare(subscriberSlice(SUBSCRIPTIONS.email, REAL_CONSUMER.delaysMs));
  const events = signups(EVENTS);
  const log = new LogWatch();
  const isHeldUp = log.next(
    "the email consumer at its commit",
    ({ message }) => /locked/.test(message),
  );
  const victim = await side.startEmail({ env: REAL_CONSUMER.env, onRecord: log.onRecord });
  {
    using _lock = lockStore(side.dataDirOf("email"));
    await side.publish(events);
    await isHeldUp;
    await victim.kill();
  }
  say("manual ack: kill -9 while it handles its first events, and a new start.");

  const secondLife = new LogWatch();
  await side.startEmail({ env: REAL_CONSUMER.env, onRecord: secondLife.onRecord });
  await side.untilHandled(EVENTS);
  await side.until("each event acknowledged", () => secondLife.handled === EVENTS);
  return accountOf(idsOf(events), {
    effects: side.effects(),
    // Each one once in the second life, and those that came back once in the first.
    deliveries: secondLife.handled + secondLife.redeliveries,
  });
}

export const autoAck: Lesson = {
  name: "auto-ack",
  summary: "A consumer is killed (kill -9) while it handles",
  before: "noAck",
  after: "ack after commit",
  harm: "lost",
  why: `
With noAck the broker forgets a message as soon as it is written to the socket. With an ack
after the commit it keeps the message until then, and hands it to the next process.
`,
  async run(stage) {
    return {
      before: await naive(await stage.side("before")),
      after: await real(await stage.side("after")),
    };
  },
};
