/**
 * The publisher of a chaos run: a steady rate of events, each written into the journal before it is
 * published and after it is settled. Run as a child process, so that it can be killed at any line;
 * the next one publishes again, with the same ids, whatever the last one left without an answer.
 *
 * It is told what to do a line at a time: `pause`, `resume`, `guilty <subscriber>` (the next event
 * asks that subscriber to die), `doomed <subscriber> <n>` (the next n ask it to fail for ever), and
 * `finish`: until then it keeps the last events back and publishes them slowly, so that there is
 * something to recover with. It answers on the standard output with what it has come to.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connectPublisher, type Level, LEVELS } from "@ecomarket/publisher/levels/levels";
import type { Publisher } from "@ecomarket/publisher/levels/publisher";
import { UsageError } from "@ecomarket/shared/base/errors";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { amqpUrls, logConfig } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { reportMemory } from "@ecomarket/shared/process/memory_report";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { chaosEvent, Journal, type JournalOutcome } from "./journal.ts";

const USAGE = `
Usage: chaos_publisher.ts --journal DIR --seed S --events N --rate R --level LEVEL

Started by deno task chaos.
`;

/** How often events are published and the journal is written. */
const TICK_MS = 20;
/** One event in so many asks email to fail once, so that the retry queues are at work as well. */
const TRANSIENT_EVERY = 50;
/**
 * The part of the events that is kept back until `finish`, and how many a second leave meanwhile. n.b.
 * where the faults take longer than that lasts, further events follow: a fault is overcome when events
 * flow again, and on a slow machine there must be some.
 */
const RESERVE = 0.15;
const RESERVE_RATE = 10;
/** The pace of what is left after `finish`: all of it in about so many seconds, or the plan's rate. */
const FINISH_S = 60;
/** Longer than any fault: an event is given up only when something is really wrong. */
const PUBLISH_TIMEOUT_MS = 60_000;

interface Plan {
  readonly seed: number;
  readonly events: number;
  readonly ratePerSecond: number;
  readonly level: Level;
}

class ChaosPublisher {
  readonly #plan: Plan;
  readonly #journal: Journal;
  readonly #settled: { n: number; outcome: JournalOutcome }[] = [];
  #publisher: Publisher;
  #underWay = 0;
  #isPaused = false;
  #isFinishing = false;
  #finishRate: number | undefined;
  /** What the next events shall ask for, in the words of `--fail`. */
  readonly #requests: string[] = [];

  private constructor(plan: Plan, journal: Journal, publisher: Publisher) {
    this.#plan = plan;
    this.#journal = journal;
    this.#publisher = publisher;
  }

  static async start(plan: Plan, journal: Journal): Promise<ChaosPublisher> {
    return new ChaosPublisher(plan, journal, await connect(plan.level));
  }

  obey(command: string): void {
    const [verb, subject, times] = command.split(" ");
    if (verb === "pause") this.#isPaused = true;
    else if (verb === "resume") this.#isPaused = false;
    else if (verb === "guilty") this.#requests.push(`${subject}:crash`);
    else if (verb === "doomed") {
      this.#requests.push(...Array.from({ length: Number(times) }, () => `${subject}:always`));
    } else if (verb === "finish") this.#isFinishing = true;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#plan.level === "robust") {
      for (const { n, fail } of this.#journal.takeUnanswered()) this.#publish(n, fail);
    }
    let next = this.#journal.next;
    let owed = 0;
    let last = performance.now();
    let toldPaused = false;
    const isDone = () => this.#isFinishing && next >= this.#plan.events && this.#underWay === 0;
    while (!signal.aborted && !isDone()) {
      await delay(TICK_MS);
      const now = performance.now();
      if (!this.#isPaused) owed += (now - last) / 1000 * this.#rate(next);
      last = now;
      const rest = this.#plan.events - next;
      const count = Math.min(Math.floor(owed), this.#isFinishing ? Math.max(rest, 0) : Infinity);
      if (count > 0) {
        owed -= count;
        this.#begin(next, count);
        next += count;
      }
      this.#writeSettled();
      if (this.#isPaused && this.#underWay === 0 && !toldPaused) print("paused");
      toldPaused = this.#isPaused && this.#underWay === 0;
    }
    await this.#publisher.close();
    this.#writeSettled();
    if (!signal.aborted) print("done");
  }

  #rate(next: number): number {
    const { events, ratePerSecond } = this.#plan;
    if (this.#isFinishing) {
      return Math.max(ratePerSecond, this.#finishRate ??= (events - next) / FINISH_S);
    }
    const isReserve = next >= events * (1 - RESERVE);
    return isReserve ? Math.min(RESERVE_RATE, ratePerSecond) : ratePerSecond;
  }

  /** Writes `count` events into the journal, then publishes them: in this order, or a kill hides some. */
  #begin(first: number, count: number): void {
    const events = Array.from({ length: count }, (_, k) => {
      const n = first + k;
      const isTransient = n % TRANSIENT_EVERY === TRANSIENT_EVERY - 1;
      const fail = this.#requests.shift() ?? (isTransient ? "email:1" : "");
      return { n, eventId: chaosEvent(this.#plan.seed, n).event_id, fail };
    });
    this.#journal.attempt(events);
    for (const { n, fail } of events) this.#publish(n, fail);
  }

  #publish(n: number, fail: string): void {
    this.#underWay++;
    const options = fail === "" ? {} : { headers: { [X_SIMULATE_FAILURES]: fail } };
    void this.#publisher.publish(chaosEvent(this.#plan.seed, n), options).then(({ status }) => {
      this.#underWay--;
      this.#settled.push({ n, outcome: status });
      if (this.#plan.level !== "robust") {
        if (status === "unsent") void this.#reconnect();
      } else if (status !== "confirmed" && status !== "returned") {
        this.#publish(n, fail); // As whoever keeps its events until they are confirmed would do.
      }
    });
  }

  /** The lower levels do not come back by themselves: a supervisor would start them again. */
  #reconnecting: Promise<void> | undefined;
  #reconnect(): Promise<void> {
    return this.#reconnecting ??= (async () => {
      try {
        this.#publisher = await connect(this.#plan.level);
      } catch {
        await delay(200); // The next event finds the link gone, and tries again.
      } finally {
        this.#reconnecting = undefined;
      }
    })();
  }

  #writeSettled(): void {
    if (this.#settled.length > 0) this.#journal.settle(this.#settled.splice(0));
  }
}

function connect(level: Level): Promise<Publisher> {
  return connectPublisher(level, {
    urls: amqpUrls(),
    log: roleLogger("publisher"),
    publishTimeoutMs: PUBLISH_TIMEOUT_MS,
    connectTimeoutMs: PUBLISH_TIMEOUT_MS,
  });
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const { values } = parseArguments(args, {
      journal: { type: "string" },
      seed: { type: "string" },
      events: { type: "string" },
      rate: { type: "string" },
      level: { type: "string" },
    });
    const level = LEVELS.find((name) => name === values.level);
    if (!values.journal || !level) throw new UsageError("--journal and --level are needed");
    await configureLog(logConfig());
    const log = roleLogger("publisher");
    using _memory = reportMemory(log);
    using journal = new Journal(values.journal);
    const publisher = await ChaosPublisher.start({
      seed: wholeNumber("seed", values.seed, 1),
      events: wholeNumber("events", values.events, 0),
      ratePerSecond: wholeNumber("rate", values.rate, 100, { min: 1 }),
      level,
    }, journal);
    log.info("Publishing", { state: "publishing" });
    void (async () => {
      for await (const lines of readLines(Deno.stdin.readable)) {
        for (const { text } of lines) publisher.obey(text);
      }
    })();
    await publisher.run(signal);
  });
}
