/** An event that is put back at once comes back at once, and before all the others. */
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import {
  DEAD_LETTER_QUEUE,
  subscriberSlice,
  SUBSCRIPTIONS,
} from "@ecomarket/shared/contract/topology";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import { type Account, accountOf } from "./account.ts";
import type { Lesson } from "./lesson.ts";
import { CLASSIC_QUEUE } from "./stage/classic_queue.ts";
import { idsOf, signups } from "@ecomarket/testbed/events/signups";
import { REAL_CONSUMER, type Side } from "./stage/side.ts";

const HEALTHY = 10;
/** Of one event: more of them would show nothing else. */
const DELIVERIES = 3_000;

/** Publishes one event that fails at each attempt, then the healthy ones. @returns all of them. */
async function publishBatch(side: Side): Promise<UsuarioCreado[]> {
  const events = signups(1 + HEALTHY);
  await side.publish(
    events,
    (event) => event === events[0] ? { headers: { [X_SIMULATE_FAILURES]: "email:always" } } : {},
  );
  return events;
}

async function naive(side: Side): Promise<Account> {
  await side.declare(CLASSIC_QUEUE);
  const events = await publishBatch(side);
  const consumer = side.startNaive("hot_loop");
  await consumer.delivered(1);
  const startedAt = performance.now();
  await consumer.delivered(DELIVERIES);
  const seconds = (performance.now() - startedAt) / 1000;
  const effects = side.effects();
  await consumer.kill();
  await side.untilWaiting(events.length - effects.size);
  const { deliveries } = consumer;
  side.stage.say(
    `nack(requeue): ${deliveries} deliveries of one event, ${Math.round(DELIVERIES / seconds)} ` +
      `a second; of the ${HEALTHY} healthy ones behind it, ${effects.size} were handled meanwhile.`,
  );
  return accountOf(idsOf(events), { effects, waiting: await side.takeAll(), deliveries });
}

async function real(side: Side): Promise<Account> {
  await side.declare(subscriberSlice(SUBSCRIPTIONS.email, REAL_CONSUMER.delaysMs));
  const outcomes: LogRecord[] = [];
  const events = await publishBatch(side);
  await side.startEmail({
    env: { ...REAL_CONSUMER.env, SIMULATE_FAILURES: "1" },
    onRecord: (record) => record.outcome && outcomes.push(record),
  });
  await side.untilWaiting(1, DEAD_LETTER_QUEUE);
  await side.untilHandled(HEALTHY);
  await side.until(
    "the last word about the failing event",
    () => outcomes.some(({ outcome }) => outcome === "dead-lettered"),
  );
  const delays = outcomes.flatMap(({ delayMs }) => delayMs === undefined ? [] : [delayMs]);
  const end = outcomes.findIndex(({ outcome }) => outcome === "dead-lettered");
  const meanwhile = outcomes.slice(0, end).filter(({ outcome }) => outcome === "handled").length;
  side.stage.say(
    `retry queues: attempts after ${delays.join(", ")} ms, then a dead letter; of the ` +
      `${HEALTHY} healthy ones, ${meanwhile} were handled meanwhile.`,
  );
  const deadLetters = await side.takeAll(DEAD_LETTER_QUEUE);
  const waiting = await side.takeAll();
  return accountOf(idsOf(events), {
    effects: side.effects(),
    deadLetters,
    waiting,
    deliveries: outcomes.length,
  });
}

export const hotLoop: Lesson = {
  name: "hot-loop",
  summary: "An event fails at each attempt, and healthy ones stand behind it",
  before: "nack(requeue)",
  after: "retry queues",
  harm: "waiting",
  why: `
What is put back goes to the head of the queue and comes again at once: the consumer is busy,
and does nothing. A failed event that waits in a queue of its own holds up nobody, and after
three retries it is kept as a dead letter.
`,
  async run(stage) {
    return {
      before: await naive(await stage.side("before")),
      after: await real(await stage.side("after")),
    };
  },
};
