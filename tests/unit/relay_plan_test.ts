/** Where the relay goes after each kind of batch. */
import assert from "node:assert/strict";
import {
  afterBatch,
  afterPass,
  AT_THE_HEAD,
  atTime,
  type RelayPosition,
  type RowOutcome,
} from "../../publisher/outbox/relay_plan.ts";

function outcome(position: number, status: RowOutcome["status"] = "confirmed"): RowOutcome {
  return { row: { position, eventId: `e-${position}`, event: "{}" }, status };
}

const NOW = 5_000;

Deno.test("afterBatch() goes on behind a batch that is confirmed", () => {
  const at = afterBatch(AT_THE_HEAD, [outcome(3), outcome(7)], NOW);
  assert.deepEqual(at, { position: 7, failedPasses: 0, isBlocked: false });
});

for (const status of ["returned", "nacked", "ambiguous", "unsent", "sent"] as const) {
  Deno.test(`afterBatch() waits, and tries no more, when a whole batch is ${status}`, () => {
    const at = afterBatch(AT_THE_HEAD, [outcome(1, status), outcome(2, status)], NOW);
    assert.deepEqual(at, { position: 2, retryAtMs: NOW + 100, failedPasses: 1, isBlocked: true });
  });
}

Deno.test("afterBatch() goes on behind an event that fails among others that do not", () => {
  const at = afterBatch(AT_THE_HEAD, [outcome(1, "nacked"), outcome(2)], NOW);
  assert.deepEqual(at, { position: 2, retryAtMs: NOW + 100, failedPasses: 1, isBlocked: false });
});

Deno.test("afterBatch() holds nothing up for events that can never be published", () => {
  const at = afterBatch(AT_THE_HEAD, [outcome(1, "unpublishable")], NOW);
  assert.equal(at.isBlocked, false);
  assert.equal(at.retryAtMs, NOW + 100);
  const mixed = [outcome(1, "unpublishable"), outcome(2, "unsent")];
  assert.equal(afterBatch(AT_THE_HEAD, mixed, NOW).isBlocked, true, "the broker is away as well");
});

Deno.test("afterBatch() keeps the first failure's time, however much is confirmed behind it", () => {
  let at = afterBatch(AT_THE_HEAD, [outcome(1, "nacked"), outcome(2)], NOW);
  at = afterBatch(at, [outcome(3), outcome(4)], NOW + 40);
  at = afterBatch(at, [outcome(5, "nacked"), outcome(6)], NOW + 50);
  assert.deepEqual(at, { position: 6, retryAtMs: NOW + 100, failedPasses: 1, isBlocked: false });
});

Deno.test("atTime() goes back to the head once the wait is over, and not before", () => {
  const failed = afterBatch(AT_THE_HEAD, [outcome(9, "unsent")], NOW);
  assert.equal(atTime(failed, NOW + 99), failed);
  assert.deepEqual(atTime(failed, NOW + 100), { position: 0, failedPasses: 1, isBlocked: false });
  assert.equal(atTime(AT_THE_HEAD, NOW), AT_THE_HEAD);
});

Deno.test("the relay waits longer after each pass that fails, and begins anew after one that does not", () => {
  let at: RelayPosition = AT_THE_HEAD;
  let now = 0;
  const waits: number[] = [];
  for (let pass = 0; pass < 8; pass++) {
    at = afterPass(afterBatch(at, [outcome(1, "returned")], now));
    waits.push(at.retryAtMs! - now);
    now = at.retryAtMs!;
    at = atTime(at, now);
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  at = afterPass(afterBatch(at, [outcome(1)], now));
  assert.deepEqual(at, { position: 1, failedPasses: 0, isBlocked: false });
});
