/** An event changes, while publishers and consumers of before still run. */
import { moveMessages } from "@ecomarket/setup/queues/move_messages";
import type { Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import {
  DEAD_LETTER_QUEUE,
  PURCHASE_EVENTS_EXCHANGE,
  retryExchange,
  subscriberSlice,
} from "@ecomarket/shared/contract/topology";
import { idsOf } from "@ecomarket/testbed/events/signups";
import { LogWatch } from "@ecomarket/testbed/processes/log_watch";
import type { RoleScript } from "@ecomarket/testbed/processes/roles";
import { type Account, accountOf } from "./account.ts";
import {
  CASHBOOK,
  CASHBOOK_SUBSCRIPTION,
  type CashbookLine,
  readCashbook,
} from "./cashbook/cashbook.ts";
import { firstVersion, type Purchase, secondVersion, sums } from "./cashbook/purchases.ts";
import type { Lesson } from "./lesson.ts";
import { REAL_CONSUMER, type Side } from "./stage/side.ts";

const { queue: QUEUE } = CASHBOOK_SUBSCRIPTION;

/** What is published: version 1, then version 2, then version 1 of a publisher that is late. */
function purchases(): readonly [early: Purchase[], changed: Purchase[], late: Purchase[]] {
  return [firstVersion(4), secondVersion(4), firstVersion(2)];
}

/** Publishes `batch`, whatever its version: the exchange and the type are the same. */
async function publish(side: Side, batch: readonly Purchase[]): Promise<void> {
  await side.send(batch.map(({ encoded }): Outgoing => ({
    exchange: PURCHASE_EVENTS_EXCHANGE,
    routingKey: "",
    ...encoded,
  })));
}

async function naive(side: Side): Promise<Account> {
  await side.declare(subscriberSlice(CASHBOOK_SUBSCRIPTION, []));
  const batches = purchases();
  const sold = batches.flat();
  for (const batch of batches) await publish(side, batch);
  const consumer = side.startNaive("versions", { folder: CASHBOOK });
  await consumer.delivered(sold.length);
  await side.until("each purchase in the cashbook", () => lines(side).length === sold.length);
  side.stage.say(`trusting: ${sums(lines(side))} in the cashbook; sold were ${sums(sold)}.`);
  return account(side, sold);
}

async function real(side: Side): Promise<Account> {
  const { say } = side.stage;
  const { env, delaysMs } = REAL_CONSUMER;
  await side.declare(subscriberSlice(CASHBOOK_SUBSCRIPTION, delaysMs));
  const [early, changed, late] = purchases();
  const log = new LogWatch();
  const refusal = log.next("a dead letter", ({ outcome }) => outcome === "dead-lettered");
  const older = await side.startConsumer(cashbook("older"), { env, onRecord: log.onRecord });
  await publish(side, early);
  await publish(side, changed);
  await side.untilWaiting(changed.length, DEAD_LETTER_QUEUE);
  await side.until("version 1 handled", () => log.handled === early.length);
  const { why, reason } = await refusal;
  await older.stop();
  say(`older consumer: ${log.handled} handled; ${changed.length} kept as dead letters: ${why}`);
  say(`  (${reason}).`);

  const newer = new LogWatch();
  await side.startConsumer(cashbook("newer"), { env, onRecord: newer.onRecord });
  await publish(side, late);
  const moved = await moveMessages({
    from: DEAD_LETTER_QUEUE,
    exchange: retryExchange(QUEUE),
    routingKey: QUEUE,
    areDeadLetters: false,
    hasDeadLetterExchange: true,
  }, { urls: [side.amqpUrl], signal: side.stage.signal });
  await side.until("the rest handled", () => newer.handled === late.length + changed.length);
  say(`newer consumer: ${moved} dead letters sent back, and ${late.length} of version 1: handled.`);
  const sold = [early, changed, late].flat();
  say(`upcast: ${sums(lines(side))} in the cashbook; sold were ${sums(sold)}.`);
  return account(side, sold);
}

/** The cashbook as a process, in one of its two versions. */
function cashbook(version: "older" | "newer"): RoleScript {
  const script = `tasks/lessons/cashbook/${version}_consumer.ts`;
  return { name: CASHBOOK, script, permissionSet: "cashbook", folder: CASHBOOK };
}

function lines(side: Side): CashbookLine[] {
  return readCashbook(side.dataDirOf(CASHBOOK));
}

/** What became of `sold`: a line that does not say what was sold is wrong. */
async function account(side: Side, sold: readonly Purchase[]): Promise<Account> {
  const written = Map.groupBy(lines(side), ({ event_id }) => event_id);
  const isWrong = ({ event_id, total, currency }: CashbookLine) =>
    written.get(event_id)?.some((line) => line.total !== total || line.currency !== currency);
  return accountOf(idsOf(sold), {
    effects: new Map([...written].map(([id, { length }]) => [id, length])),
    deadLetters: await side.takeAll(DEAD_LETTER_QUEUE),
    waiting: await side.takeAll(QUEUE),
    wrong: new Set(idsOf(sold.filter(isWrong))),
  });
}

export const versions: Lesson = {
  name: "versions",
  summary: "An event changes while consumers of before still run",
  before: "trusting",
  after: "versioned",
  harm: "wrong",
  why: `
The first consumer takes whatever it reads for what it knows. With a version in each event, a
consumer that is older keeps what it does not understand, untouched and with the reason; a newer
one brings older events up to date (an upcast), and handles what was kept once it is sent back.
`,
  async run(stage) {
    return {
      before: await naive(await stage.side("before")),
      after: await real(await stage.side("after")),
    };
  },
};
