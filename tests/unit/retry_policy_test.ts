/** The table of `dispositionOf`, row by row; and the waits that grow. */
import assert from "node:assert/strict";
import { backoffDelayMs } from "@ecomarket/shared/base/backoff";
import {
  InvalidMessageError,
  PermanentError,
  StoreUnavailableError,
} from "@ecomarket/shared/base/errors";
import { dispositionOf } from "../../shared/subscriber/retry_policy.ts";

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
