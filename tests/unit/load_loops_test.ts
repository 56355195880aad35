import assert from "node:assert/strict";
import type { Clock } from "../../tasks/compare/load/clock.ts";
import { closedLoop } from "../../tasks/compare/load/closed_loop.ts";
import { openLoop } from "../../tasks/compare/load/open_loop.ts";

/** A clock that moves only when the load generator waits, or when it is pushed. */
class FakeClock implements Clock {
  #nowMs = 0;
  readonly #waiting: { atMs: number; resolve: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  until(atMs: number): Promise<void> {
    if (atMs <= this.#nowMs) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ atMs, resolve }));
  }

  /** As a busy machine does: time passes, and nothing runs. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  /** Runs until nobody waits any more. */
  async run(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    void work.finally(() => isDone = true);
    while (!isDone) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#waiting.sort((a, b) => a.atMs - b.atMs);
      const next = this.#waiting.shift();
      if (!next) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.resolve();
    }
  }
}

Deno.test("openLoop() sends at its rate, whether the ones before were answered or not", async () => {
  const clock = new FakeClock();
  const sentAt: number[] = [];
  const load = openLoop(
    async () => {
      sentAt.push(clock.now());
      await clock.until(clock.now() + 600);
      return true;
    },
    { ratePerSecond: 10, count: 4 },
    clock,
  );
  await clock.run(load);
  assert.deepEqual(sentAt, [0, 100, 200, 300]);
  assert.deepEqual((await load).map(({ latencyMs }) => latencyMs), [600, 600, 600, 600]);
});

Deno.test("openLoop() counts latency from the intended start: a stall is everybody's wait", async () => {
  const clock = new FakeClock();
  const load = openLoop(
    (n) => {
      if (n === 1) clock.stall(250);
      return Promise.resolve(n !== 1);
    },
    { ratePerSecond: 10, count: 5 },
    clock,
  );
  await clock.run(load);
  const samples = await load;
  // Meant for 0, 100, 200, 300 and 400 ms; nothing could be sent from 100 to 350.
  assert.deepEqual(samples.map(({ latencyMs }) => latencyMs), [0, 250, 150, 50, 0]);
  assert.deepEqual(samples.map(({ ok }) => ok), [true, false, true, true, true]);
});

Deno.test("closedLoop() counts what is answered well in the measured time, and only that", async () => {
  const clock = new FakeClock();
  let sent = 0;
  const load = closedLoop(
    async () => {
      const ok = ++sent % 2 === 1;
      await clock.until(clock.now() + 100);
      return ok;
    },
    { concurrency: 1, leadInMs: 1_000, measureMs: 1_000 },
    clock,
  );
  await clock.run(load);
  // One worker, started at 0 of the lead-in: 10 answers in the second after it, half of them good.
  assert.equal(await load, 5);
});

Deno.test("closedLoop() keeps so many requests under way, and no more", async () => {
  const clock = new FakeClock();
  let underWay = 0;
  let most = 0;
  const load = closedLoop(
    async () => {
      most = Math.max(most, ++underWay);
      await clock.until(clock.now() + 100);
      underWay--;
      return true;
    },
    { concurrency: 8, leadInMs: 400, measureMs: 1_000 },
    clock,
  );
  await clock.run(load);
  assert.equal(most, 8);
  assert.equal(underWay, 0);
  assert.equal(await load, 80);
});
