/** One chaos run, from an empty broker to an audited one. */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "@ecomarket/shared/base/errors";
import { poll } from "@ecomarket/shared/base/poll";
import { DEAD_LETTER_QUEUE } from "@ecomarket/shared/contract/topology";
import type { ConsumerName } from "@ecomarket/testbed/processes/roles";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { holdingsIn, ofEachSubscriber } from "@ecomarket/testbed/stores/stores_reader";
import { readUsersStore } from "./accounts/api_books.ts";
import { auditRun, isClean, type RunAudit } from "./accounts/run_audit.ts";
import type { Fault } from "./faults/fault.ts";
import { SUBSCRIBER_DOWN } from "./faults/process_faults.ts";
import { readJournal } from "./load/journal.ts";
import { watchMemory } from "./memory_watch.ts";
import type { FaultRecord, RunResult, SkippedFault } from "./receipt.ts";
import { schedule } from "./schedule.ts";
import type { StoreKind } from "./stores/run_stores.ts";
import type { World } from "./world.ts";

/** How long a fault may take to be overcome. */
const RECOVERY_TIMEOUT_MS = 60_000;
/** How long the publisher may take for the rest, and then the subscribers. */
const FINISH_TIMEOUT_MS = 180_000;
const SETTLE_TIMEOUT_MS = 60_000;

/** What a run does. */
export interface RunPlan {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly durationMs: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Whether the publisher is expected to lose: then what is missing is counted, not waited for. */
  readonly mayLose: boolean;
}

/** Runs `plan` in `world`. Nothing that goes wrong in the run is thrown: it is in the result. */
export async function runChaos(world: World, plan: RunPlan): Promise<RunResult> {
  const { possible, skipped } = sortOut(plan.faults, world.stores.kind);
  for (const { name, reason } of skipped) plan.say(`skipped  ${name}: ${reason}`);
  const isDownFirst = possible.includes(SUBSCRIBER_DOWN);
  const slots = schedule(
    possible.filter((fault) => fault !== SUBSCRIBER_DOWN),
    plan.seed,
    plan.durationMs,
    isDownFirst ? { fault: SUBSCRIBER_DOWN, subscriber: "analytics" } : undefined,
  );

  const { analytics, ...others } = world.consumers;
  await Promise.all(Object.values(others).map((consumer) => consumer.start()));
  if (!isDownFirst) await analytics.start();
  await world.startApis();
  await world.publisher.start();
  const startedAt = performance.now();
  const memory = watchMemory(world.logs);

  const records: FaultRecord[] = [];
  for (const { fault, atMs } of slots) {
    await delay(Math.max(0, startedAt + atMs - performance.now()), undefined, plan);
    const record = await suffer(world, fault, performance.now() - startedAt);
    records.push(record);
    plan.say(told(record));
    plan.signal.throwIfAborted();
  }

  const failures: string[] = [];
  await world.publisher.current.tell("finish");
  await world.publisher.current.said("done", FINISH_TIMEOUT_MS)
    .catch((error) => failures.push(messageOf(error)));
  await world.publisher.stop();
  await world.finishApis().catch((error) => failures.push(messageOf(error)));
  await settle(world, plan);
  for (const consumer of Object.values(world.consumers)) {
    const { code, signal } = await consumer.stop();
    if (code !== 0) failures.push(`${consumer.name} ended with ${signal ?? code} at the end`);
  }
  memory.stop();
  return {
    audit: await auditWorld(world),
    faults: records,
    skipped,
    failures,
    memory: memory.samples,
  };
}

function sortOut(
  faults: readonly Fault[],
  kind: StoreKind,
): { possible: Fault[]; skipped: SkippedFault[] } {
  const possible: Fault[] = [];
  const skipped: SkippedFault[] = [];
  for (const fault of faults) {
    const reason = fault.impossible?.(kind);
    if (reason === undefined) possible.push(fault);
    else skipped.push({ name: fault.name, reason });
  }
  return { possible, skipped };
}

async function suffer(world: World, fault: Fault, atMs: number): Promise<FaultRecord> {
  const record = { name: fault.name, atMs: Math.round(atMs) };
  const watch = watchEffects(world);
  try {
    const { proof, endedAt, affected } = await fault.inject(world);
    const recoveredAt = await Promise.all(affected.map((name) => watch.after(name, endedAt)));
    const recoveryMs = recoveredAt.length === 0
      ? null
      : Math.max(0, Math.round(Math.max(...recoveredAt) - endedAt));
    return { ...record, proof, recoveryMs };
  } catch (error) {
    return { ...record, proof: "", recoveryMs: null, failure: messageOf(error) };
  } finally {
    watch.stop();
  }
}

/**
 * Notes when each consumer commits an effect, from now on: a fault that knows its own end only
 * afterwards can still be told when the first effect after it was.
 */
function watchEffects(world: World) {
  const times = new Map<string, number[]>();
  const stops = Object.entries(world.logs).map(([name, log]) => {
    const seen: number[] = [];
    times.set(name, seen);
    return log.onEffect(() => void seen.push(performance.now()));
  });
  return {
    stop: () => stops.forEach((stop) => stop()),
    after: async (name: ConsumerName, endedAt: number): Promise<number> => {
      const seen = times.get(name)?.find((time) => time > endedAt);
      if (seen !== undefined) return seen;
      await world.logs[name].nextEffect(RECOVERY_TIMEOUT_MS);
      return performance.now();
    },
  };
}

/** Waits until nothing more can come: what is missing then is missing. */
async function settle(world: World, { mayLose, signal }: RunPlan): Promise<void> {
  const isSettled = async () => {
    const backlogs = await Promise.all(SUBSCRIBERS.map((name) => world.backlog(name)));
    const dead = (await world.queues([DEAD_LETTER_QUEUE]))[DEAD_LETTER_QUEUE]?.ready ?? 0;
    const isQuiet = dead === 0 && backlogs.every((backlog) => backlog === 0);
    return isQuiet && (mayLose || isClean(await auditWorld(world)));
  };
  await poll(isSettled, { timeoutMs: SETTLE_TIMEOUT_MS, intervalMs: 500, signal });
}

async function auditWorld(world: World): Promise<RunAudit> {
  const { apiAnswers: answers, stores: { reader, usersStore, lostPrimary } } = world;
  // n.b. the users first: an event that has its effect has its user.
  const books = answers.length > 0 && await readUsersStore(reader, usersStore);
  const subscribers = await ofEachSubscriber(async (name) => ({
    ...await holdingsIn(reader, name),
    duplicateDeliveries: world.logs[name].duplicates,
  }));
  return auditRun(
    readJournal(world.journalDir),
    subscribers,
    books ? { answers, ...books } : undefined,
    lostPrimary,
  );
}

function told({ name, atMs, proof, recoveryMs, failure }: FaultRecord): string {
  const at = `${(atMs / 1000).toFixed(1).padStart(6)} s`;
  if (failure !== undefined) return `${at}  ✗ ${name}: ${failure}`;
  const recovered = recoveryMs === null ? "" : `, recovered in ${recoveryMs} ms`;
  return `${at}  ${name}${recovered}\n          ${proof}`;
}
