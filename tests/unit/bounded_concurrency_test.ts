/** forEachBounded(): in order, never more at once than allowed, and nothing left behind. */
import assert from "node:assert/strict";
import { forEachBounded } from "../../publisher/publish/bounded_concurrency.ts";

async function* numbers(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield await Promise.resolve(n);
}

/** Work that lasts until it is told to end. */
class Work {
  readonly begun: number[] = [];
  readonly ended: number[] = [];
  readonly #ends = new Map<number, () => void>();
  #onBegin = () => {};

  readonly run = async (n: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(n, resolve);
    this.begun.push(n);
    this.#onBegin();
    await promise;
    this.ended.push(n);
  };

  end(n: number): void {
    this.#ends.get(n)!();
  }

  /** Resolves once `count` items were begun. */
  async untilBegun(count: number): Promise<void> {
    while (this.begun.length < count) {
      await new Promise<void>((resolve) => this.#onBegin = resolve);
    }
  }
}

const never = new AbortController().signal;

/** Lets every reaction that is due run: time in which something wrong would show. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("forEachBounded() begins the items in their order, at most `limit` at once", async () => {
  const work = new Work();
  const done = forEachBounded(numbers(5), work.run, { limit: 2, signal: never });
  await work.untilBegun(2);
  await turnOfTheLoop();
  assert.deepEqual(work.begun, [0, 1]);
  work.end(1);
  await work.untilBegun(3);
  await turnOfTheLoop();
  assert.deepEqual(work.begun, [0, 1, 2]);
  for (const n of [0, 2]) work.end(n);
  await work.untilBegun(5);
  for (const n of [3, 4]) work.end(n);
  await done;
  assert.deepEqual(work.begun, [0, 1, 2, 3, 4]);
});

Deno.test("forEachBounded() settles only when everything that was begun has settled", async () => {
  const work = new Work();
  let settled = false;
  const done = forEachBounded(numbers(3), work.run, { limit: 10, signal: never }).then(() =>
    settled = true
  );
  await work.untilBegun(3);
  for (const n of [0, 1]) work.end(n);
  await turnOfTheLoop();
  assert.equal(settled, false);
  work.end(2);
  await done;
  assert.deepEqual(work.ended.toSorted(), [0, 1, 2]);
});

Deno.test("forEachBounded() begins nothing after an abort, and waits for what is under way", async () => {
  const work = new Work();
  const controller = new AbortController();
  const done = forEachBounded(numbers(1_000), work.run, { limit: 2, signal: controller.signal });
  await work.untilBegun(2);
  controller.abort();
  for (const n of [0, 1]) work.end(n);
  await done;
  assert.deepEqual(work.begun, [0, 1]);
  assert.deepEqual(work.ended, [0, 1]);
});

Deno.test("forEachBounded() rejects with the first failure, after what was begun has settled", async () => {
  const ended: number[] = [];
  const work = async (n: number) => {
    await turnOfTheLoop();
    if (n === 1) throw new Error("the second one");
    ended.push(n);
  };
  await assert.rejects(
    forEachBounded(numbers(1_000), work, { limit: 3, signal: never }),
    /the second one/,
  );
  assert.ok(ended.length < 10, `${ended.length} items were worked on after the failure`);
});

Deno.test("forEachBounded() rejects with the error of its items, after what was begun has settled", async () => {
  const ended: number[] = [];
  async function* broken() {
    yield* numbers(2);
    throw new Error("the disk is gone");
  }
  const work = async (n: number) => {
    await turnOfTheLoop();
    ended.push(n);
  };
  await assert.rejects(
    forEachBounded(broken(), work, { limit: 10, signal: never }),
    /the disk is gone/,
  );
  assert.deepEqual(ended, [0, 1]);
});
