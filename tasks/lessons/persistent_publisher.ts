/** A persistent message that never arrived is lost as well, and without a confirm nobody knows. */
import type { Level } from "@ecomarket/publisher/levels/levels";
import { connectPublisher } from "@ecomarket/publisher/levels/levels";
import type { PublishOutcome } from "@ecomarket/publisher/levels/publisher";
import { fullTopology } from "@ecomarket/shared/contract/topology";
import { roleLogger } from "@ecomarket/shared/process/log";
import { idsOf, signups } from "@ecomarket/testbed/events/signups";
import { type Account, accountOf } from "./account.ts";
import type { Lesson } from "./lesson.ts";
import { QUEUE, type Side } from "./stage/side.ts";

/** Events before the link fails, and while it does. */
const BATCH = 50;

/** Publishes one batch, and a second one over a link that is cut before it gets through. */
async function publishOverBrokenLink(side: Side, level: Level): Promise<Account> {
  const { stage } = side;
  await side.declare(fullTopology([]));
  const link = side.link();
  const publisher = stage.use(
    await connectPublisher(level, {
      urls: [link.urlFor(side.amqpUrl)],
      log: roleLogger("publisher"),
    }),
  );
  const events = signups(2 * BATCH);
  const [first, second] = [events.slice(0, BATCH), events.slice(BATCH)];
  await Promise.all(first.map((event) => publisher.publish(event)));
  await side.untilWaiting(BATCH);

  link.stall();
  const pending = second.map((event) => publisher.publish(event));
  await side.until("the second batch on its way", () => link.bytesHeld > 0);
  // n.b. what is on its way would still get through if the link came back first.
  link.cut();
  link.restore();
  const outcomes = await Promise.all(pending);
  await publisher.close();
  stage.say(`${level}: the link was cut; it says of the second batch: ${summary(outcomes)}.`);
  return accountOf(idsOf(events), { waiting: await side.takeAll(QUEUE) });
}

/** Such as `50 sent`. */
function summary(outcomes: readonly PublishOutcome[]): string {
  const byStatus = Map.groupBy(outcomes, ({ status }) => status);
  return [...byStatus].map(([status, { length }]) => `${length} ${status}`).join(", ");
}

export const persistentPublisher: Lesson = {
  name: "persistent-publisher",
  summary: "The link to the broker is cut while events are on their way",
  before: "PersistentPublisher",
  after: "RobustPublisher",
  harm: "lost",
  why: `
PersistentPublisher says "sent" once an event is handed to the socket: that is not the broker.
RobustPublisher waits for the broker's confirm, and what was in doubt it sends again, with the
same event_id, over a new link.
`,
  async run(stage) {
    return {
      before: await publishOverBrokenLink(await stage.side("before"), "persistent"),
      after: await publishOverBrokenLink(await stage.side("after"), "robust"),
    };
  },
};
