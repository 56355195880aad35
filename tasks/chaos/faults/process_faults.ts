/** Processes that die, are stopped, or stay away. */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@ecomarket/shared/base/poll";
import { CRASH_EXIT_CODE } from "@ecomarket/shared/contract/simulated_failure";
import { DELIVERY_LIMIT, SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { CONSUMER_NAMES, type ConsumerName } from "@ecomarket/testbed/processes/roles";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { effectsIn, holdingsIn } from "@ecomarket/testbed/stores/stores_reader";
import { type JournalOutcome, readJournal } from "../load/journal.ts";
import type { World } from "../world.ts";
import { type Fault, type FaultOutcome, provoke } from "./fault.ts";

/** Its prefetch window and some: what waits before the crash loop begins. */
const CRASH_BACKLOG = 150;

/**
 * `kill -9` of the first instance while it handles: what it was given and had not settled comes back,
 * and the others, where there are any, go on.
 */
async function kill(world: World, name: ConsumerName): Promise<FaultOutcome> {
  const consumer = world.consumers[name];
  const { supervisor } = consumer.first;
  const proof = await provoke(`a kill of ${name} while it handles`, async () => {
    const before = { back: world.logs[name].redeliveries, others: consumer.handledByOthers };
    const { pid } = supervisor.current;
    await busy(world, name);
    const { signal } = await supervisor.kill();
    await settleDown(world, name);
    const back = world.logs[name].redeliveries - before.back;
    const wentOn = consumer.handledByOthers - before.others;
    if (back === 0 || (consumer.others.length > 0 && wentOn === 0)) return undefined;
    const told = `pid ${pid} gone by ${signal}; ${back} deliveries came back`;
    return consumer.others.length === 0
      ? told
      : `${told}; the other instance did ${wentOn} meanwhile`;
  });
  return { proof, endedAt: supervisor.startedAt, affected: affectedBy(name) };
}

/** `kill -9` of every instance at once. */
async function killAll(world: World, name: ConsumerName): Promise<FaultOutcome> {
  const consumer = world.consumers[name];
  const proof = await provoke(`a kill of every ${name} while they handle`, async () => {
    const before = world.logs[name].redeliveries;
    const pids = consumer.members.map(({ supervisor }) => supervisor.current.pid);
    await busy(world, name);
    const { signal } = await consumer.kill();
    await settleDown(world, name);
    const back = world.logs[name].redeliveries - before;
    if (back === 0) return undefined;
    return `pids ${pids.join(" and ")} gone by ${signal}; ${back} deliveries came back`;
  });
  return { proof, endedAt: consumer.startedAt, affected: affectedBy(name) };
}

/** Until it has something in hand. */
async function busy(world: World, name: ConsumerName): Promise<void> {
  const isBusy = world.consumers[name].first.log.nextEffect();
  if (name === "dead-letter") await world.publisher.current.tell("doomed loyalty 20");
  await isBusy;
}

/** Long enough for what came back to be handed out again. */
async function settleDown(world: World, name: ConsumerName): Promise<void> {
  if (name === "dead-letter") await delay(500);
  else await world.logs[name].nextEffect();
}

/** The archive has nothing to do most of the time: no effect of its own can be waited for. */
function affectedBy(name: ConsumerName): ConsumerName[] {
  return name === "dead-letter" ? [] : [name];
}

/** SIGTERM of the first instance: it must finish what is in flight and end with 0. */
async function terminate(world: World, name: ConsumerName): Promise<FaultOutcome> {
  const { supervisor } = world.consumers[name].first;
  const { pid } = supervisor.current;
  const { code, signal } = await supervisor.stop();
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? code} after SIGTERM, not with 0`);
  await supervisor.start();
  const proof = `pid ${pid} drained and ended with 0`;
  return { proof, endedAt: supervisor.startedAt, affected: affectedBy(name) };
}

/** `kill -9` of the publisher between a publish and its confirm, which the link holds back a moment. */
async function killPublisher(world: World): Promise<FaultOutcome> {
  const proof = await provoke("a kill of the publisher with events unanswered", async () => {
    const { pid } = world.publisher.current;
    const count = (wanted: JournalOutcome) =>
      readJournal(world.journalDir).filter(({ outcome }) => outcome === wanted).length;
    const before = count("confirmed");
    await until("a publisher at work", () => count("confirmed") > before);
    for (const proxy of world.proxies) proxy.holdAnswers();
    await until("an event without an answer", () => count("pending") > 0);
    await delay(Math.random() * 200);
    const { signal } = await world.publisher.current.kill();
    for (const proxy of world.proxies) proxy.restore();
    const unanswered = count("pending");
    await until("the publisher's successor", () => world.publisher.current.pid !== pid);
    if (unanswered === 0) return undefined;
    return `pid ${pid} gone by ${signal}; ${unanswered} events were without an answer`;
  });
  return { proof, endedAt: world.publisher.startedAt, affected: world.running };
}

/** An event that kills its consumer each time, in the middle of a full prefetch window. */
async function crashLoop(world: World): Promise<FaultOutcome> {
  const consumer = world.consumers.loyalty;
  const deathsBefore = consumer.deaths.length;
  await consumer.stop();
  await until("half a backlog", async () => await world.backlog("loyalty") >= CRASH_BACKLOG / 3);
  await world.publisher.current.tell("guilty loyalty");
  await until("a full window", async () => await world.backlog("loyalty") >= CRASH_BACKLOG);
  await consumer.start().catch(() => {}); // It may die before it has said that it consumes.
  const guilty = () =>
    readJournal(world.journalDir).filter(({ fail }) => fail === "loyalty:crash")
      .map(({ eventId }) => eventId);
  await until("the guilty event's dead letter", async () => {
    const { deadLetters: dead } = await holdingsIn(world.stores.reader, "loyalty");
    const ids = guilty();
    return ids.length > 0 && ids.every((id) => dead.has(id));
  }, { timeoutMs: 60_000 });
  const crashes = consumer.deaths.slice(deathsBefore)
    .filter(({ code }) => code === CRASH_EXIT_CODE).length;
  if (crashes <= DELIVERY_LIMIT) throw new Error(`loyalty died ${crashes} times only`);
  await consumer.successorReady();
  const proof = `loyalty died ${crashes} times of one event, which is a dead letter`;
  return { proof, endedAt: performance.now(), affected: ["loyalty"] };
}

/** A subscriber that is down for the first half of the run: it is started here, at last. */
async function comeBack(world: World): Promise<FaultOutcome> {
  const waiting = await world.backlog("analytics");
  const others = await Promise.all(
    SUBSCRIBERS.filter((name) => name !== "analytics")
      .map((name) => effectsIn(world.stores.reader, name)),
  );
  if (waiting === 0 || others.includes(0)) throw new Error("analytics missed nothing");
  await world.consumers.analytics.start();
  const endedAt = world.consumers.analytics.startedAt;
  await until("analytics' catching up", async () => await world.backlog("analytics") < 50, {
    timeoutMs: 120_000,
  });
  const proof = `${waiting} events waited in ${SUBSCRIBER_QUEUES.analytics} ` +
    `while the others had done ${Math.min(...others)}; caught up`;
  return { proof, endedAt, affected: ["analytics"] };
}

/** The fault with which the second half of a run begins. */
export const SUBSCRIBER_DOWN: Fault = {
  name: "subscriber-down",
  description: "analytics is down for the first half",
  nodes: 1,
  inject: comeBack,
};

/** Faults of processes. */
export const PROCESS_FAULTS: readonly Fault[] = [
  ...CONSUMER_NAMES.map((name): Fault => ({
    name: `kill-${name}`,
    description: `kill -9 of ${name} while it handles`,
    nodes: 1,
    needs: name,
    inject: (world) => kill(world, name),
  })),
  ...CONSUMER_NAMES.map((name): Fault => ({
    name: `kill-all-${name}`,
    description: `kill -9 of every instance of ${name} while they handle`,
    nodes: 1,
    store: "postgres",
    needs: name,
    inject: (world) => killAll(world, name),
  })),
  ...CONSUMER_NAMES.map((name): Fault => ({
    name: `term-${name}`,
    description: `SIGTERM of ${name}`,
    nodes: 1,
    needs: name,
    inject: (world) => terminate(world, name),
  })),
  {
    name: "kill-publisher",
    description: "kill -9 of the publisher between publish and confirm",
    nodes: 1,
    inject: killPublisher,
  },
  {
    name: "crash-loop",
    description: "one event kills loyalty each time, in a full prefetch window",
    nodes: 1,
    inject: crashLoop,
  },
];
