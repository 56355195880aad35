/** How many deliveries are taken at once, by number and by bytes. */
import assert from "node:assert/strict";
import { MAX_BODY_BYTES } from "@ecomarket/shared/contract/message";
import { MAX_BYTES_IN_HAND, Window } from "../../shared/subscriber/window.ts";

const MIB = 1024 * 1024;

Deno.test("Window is the prefetch for as long as valid events come, whatever their size", () => {
  for (const prefetch of [1, 100, 10_000]) {
    const window = new Window(prefetch);
    window.learn(0);
    window.learn(MAX_BODY_BYTES);
    assert.equal(window.size, prefetch);
    assert.ok(!window.isExceededBy(prefetch * MAX_BODY_BYTES));
  }
});

Deno.test("Window shrinks with the largest body that came, never below 1, and for good", () => {
  const window = new Window(100);
  const sizes = [1, 8, 16, 1, 128].map((mib) => {
    window.learn(mib * MIB);
    return window.size;
  });
  assert.deepEqual(sizes, [32, 4, 2, 2, 1]);
});

Deno.test("Window is exceeded by more than its bytes, and never by one body alone", () => {
  const window = new Window(100);
  window.learn(16 * MIB);
  assert.ok(!window.isExceededBy(MAX_BYTES_IN_HAND));
  assert.ok(window.isExceededBy(MAX_BYTES_IN_HAND + 1));
  window.learn(128 * MIB);
  assert.ok(!window.isExceededBy(128 * MIB));
  assert.ok(window.isExceededBy(128 * MIB + 1));
});
