/** Native retry as data: its delays, its arguments, and which broker knows it. */
import assert from "node:assert/strict";
import { BrokerTooOldError, ConfigError } from "@ecomarket/shared/base/errors";
import {
  checkedNativeRetry,
  knowsNativeRetry,
  longestHiddenMs,
  nativeDelaysMs,
  type NativeRetry,
  requireNativeRetry,
} from "@ecomarket/shared/contract/native_retry";
import { subscriberSlice } from "@ecomarket/shared/contract/topology";
import { unknownToBroker } from "@ecomarket/setup/queues/topology_diff";
import { failuresSoFar } from "../../shared/subscriber/retry_policy.ts";

const RETRY: NativeRetry = { retries: 4, minDelayMs: 200, maxDelayMs: 500 };
const SLICE = subscriberSlice({ queue: "audit_queue", exchanges: ["user_events"], retry: RETRY }, [
  5_000,
]);

Deno.test("nativeDelaysMs() grows by the first delay up to the longest", () => {
  assert.deepEqual(nativeDelaysMs(RETRY), [200, 400, 500, 500]);
});

Deno.test("checkedNativeRetry() refuses numbers that the broker cannot keep", () => {
  assert.equal(checkedNativeRetry(RETRY), RETRY);
  const wrong = [
    { retries: 0 },
    { retries: 1.5 },
    { retries: 101 },
    { minDelayMs: 0 },
    { minDelayMs: 501 },
    { maxDelayMs: 86_400_001 },
  ];
  for (const part of wrong) {
    assert.throws(() => checkedNativeRetry({ ...RETRY, ...part }), ConfigError);
  }
});

Deno.test("knowsNativeRetry() is from 4.3 on, and of no version that cannot be read", () => {
  for (const version of ["4.3.0", "4.3.6", "4.10.1", "5.0.0-rc.1"]) {
    assert.equal(knowsNativeRetry(version), true, version);
  }
  for (const version of ["3.10.8", "3.13.7", "4.0.5", "4.2.99", "", "undefined"]) {
    assert.equal(knowsNativeRetry(version), false, version);
  }
});

Deno.test("subscriberSlice() with native retry has one queue of its own, and the exchange of replays", () => {
  const own = SLICE.queues.filter(({ name }) => name.startsWith("audit_queue"));
  assert.deepEqual(own.map(({ name }) => name), ["audit_queue"]);
  const { arguments: args } = own[0]!;
  assert.equal(args["x-delivery-limit"], 4);
  assert.equal(args["x-delayed-retry-type"], "failed");
  assert.equal(args["x-dead-letter-strategy"], "at-least-once");
  assert.equal(longestHiddenMs(args), 500);
  assert.ok(SLICE.exchanges.some(({ name }) => name === "audit_queue.retry"));
});

Deno.test("requireNativeRetry() refuses an older broker only where a queue asks for it", () => {
  const without = subscriberSlice({ queue: "audit_queue", exchanges: ["user_events"] }, [5_000]);
  requireNativeRetry("3.10.8", without.queues);
  requireNativeRetry("4.3.6", SLICE.queues);
  assert.throws(() => requireNativeRetry("4.2.1", SLICE.queues), BrokerTooOldError);
  assert.deepEqual(unknownToBroker(without, "3.10.8"), []);
  const [difference] = unknownToBroker(SLICE, "3.10.8");
  assert.match(difference!.what, /^The broker is RabbitMQ 3\.10\.8, .*"audit_queue"/);
  assert.match(difference!.mend, /^Use RabbitMQ 4\.3/);
});

Deno.test("failuresSoFar() is the broker's count with native retry, and ours without", () => {
  const headers = { "x-delivery-count": 2, "x-retries": 1 };
  assert.equal(failuresSoFar({ kind: "native", delaysMs: [] }, headers), 2);
  assert.equal(failuresSoFar({ kind: "retry", delaysMs: [] }, headers), 1);
  assert.equal(failuresSoFar({ kind: "native", delaysMs: [] }, undefined), 0);
});
