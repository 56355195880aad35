/** The table of `dispositionOf`, row by row; and the waits that grow. */
import assert from "node:assert/strict";
import { backoffDelayMs, jitteredDelayMs } from "@ecomarket/shared/base/backoff";
import {
  HandlerTimeoutError,
  InvalidMessageError,
  NewerEventError,
  PermanentError,
  StoreUnavailableError,
} from "@ecomarket/shared/base/errors";
import { dispositionOf, isVerdict } from "../../shared/subscriber/retry_policy.ts";

const DELAYS_MS = [5_000, 30_000, 120_000];

Deno.test("dispositionOf() dead-letters an invalid message at once", () => {
  assert.deepEqual(dispositionOf(new InvalidMessageError("email is missing"), 0, DELAYS_MS), {
    kind: "deadLetter",
    reason: "invalid-message",
    message: "email is missing",
  });
});

Deno.test("dispositionOf() dead-letters a permanent error at once", () => {
  assert.deepEqual(dispositionOf(new PermanentError("no existe el buzón"), 0, DELAYS_MS), {
    kind: "deadLetter",
    reason: "permanent-error",
    message: "no existe el buzón",
  });
});

Deno.test("dispositionOf() retries anything else after each delay in turn", () => {
  const kinds = [new Error("caído"), new StoreUnavailableError("caído"), new TypeError("caído")];
  for (const error of kinds) {
    const delays = DELAYS_MS.map((delayMs) => ({ kind: "retry", delayMs, message: "caído" }));
    assert.deepEqual(DELAYS_MS.map((_, n) => dispositionOf(error, n, DELAYS_MS)), delays);
  }
});

Deno.test("dispositionOf() dead-letters what fails after the last delay, however many retries it claims", () => {
  for (const retries of [3, 4, 1_000_000]) {
    assert.deepEqual(dispositionOf(new Error("siempre"), retries, DELAYS_MS), {
      kind: "deadLetter",
      reason: "retries-exhausted",
      message: "siempre",
    });
  }
});

Deno.test("dispositionOf() puts back what fails while its dependency is away, however often it was tried", () => {
  for (const retries of [0, 3, 1_000_000]) {
    for (const error of [new Error("caído"), new HandlerTimeoutError("caído")]) {
      const disposition = dispositionOf(error, retries, DELAYS_MS, true);
      assert.deepEqual(disposition, { kind: "putBack", message: "caído" });
    }
  }
});

Deno.test("dispositionOf() dead-letters what can never be handled, also while its dependency is away", () => {
  const kinds = [PermanentError, InvalidMessageError, NewerEventError];
  for (const error of kinds.map((Kind) => new Kind("nunca"))) {
    assert.ok(isVerdict(error));
    assert.equal(dispositionOf(error, 0, DELAYS_MS, true).kind, "deadLetter");
  }
  assert.equal(isVerdict(new HandlerTimeoutError("tarde")), false);
  assert.equal(isVerdict(new Error("caído")), false);
});

Deno.test("dispositionOf() never retries where there is no delay", () => {
  assert.equal(dispositionOf(new Error("siempre"), 0, []).kind, "deadLetter");
});

Deno.test("dispositionOf() takes whatever was thrown, and says it in one line", () => {
  assert.equal(dispositionOf("una cadena", 0, DELAYS_MS).message, "una cadena");
  assert.equal(dispositionOf(undefined, 0, DELAYS_MS).message, "undefined");
  assert.equal(dispositionOf(new Error("una\n  dos"), 0, DELAYS_MS).message, "una dos");
  const both = new AggregateError([new Error("una"), new Error("dos")]);
  assert.equal(dispositionOf(both, 0, DELAYS_MS).message, "una; dos");
});

Deno.test("backoffDelayMs() doubles from 100 ms, and stays at 5 s", () => {
  const expected = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000];
  assert.deepEqual(expected.map((_, index) => backoffDelayMs(index + 1)), expected);
  assert.equal(backoffDelayMs(10_000), 5_000);
});

Deno.test("jitteredDelayMs() doubles to its maximum, and shortens by a quarter at most", () => {
  const pace = { firstMs: 1_000, maxMs: 30_000 };
  const longest = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
  assert.deepEqual(longest.map((_, index) => jitteredDelayMs(index + 1, pace, () => 0)), longest);
  const shortest = longest.map((delayMs) => delayMs * 0.75);
  assert.deepEqual(shortest.map((_, index) => jitteredDelayMs(index + 1, pace, () => 1)), shortest);
  assert.equal(jitteredDelayMs(10_000, pace, () => 0), 30_000);
});
