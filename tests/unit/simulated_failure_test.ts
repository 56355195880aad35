import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "@ecomarket/shared/base/errors";
import {
  failureAsked,
  type FailureRequest,
  formatFailurePlan,
  parseFailurePlan,
} from "@ecomarket/shared/contract/simulated_failure";

Deno.test("parseFailurePlan() reads each subscriber's part", () => {
  assert.deepEqual(
    parseFailurePlan("email:2, loyalty:always,analytics:crash"),
    new Map<string, FailureRequest>([["email", 2], ["loyalty", "always"], ["analytics", "crash"]]),
  );
});

Deno.test("parseFailurePlan() refuses what is no plan, and shows how to write one", () => {
  const wrong = ["", "email", "email:", "email:-1", "email:1.5", "email:siempre", ":2", "email:2,"];
  for (const text of wrong) {
    assert.throws(() => parseFailurePlan(text), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /^A failure is asked for as SUBSCRIBER:TIMES, such as email:2, /);
      return true;
    });
  }
});

Deno.test("formatFailurePlan() writes what parseFailurePlan() reads", () => {
  const times = fc.oneof(fc.constantFrom("always", "crash"), fc.nat({ max: 999_999 }));
  const plans = fc.uniqueArray(
    fc.tuple(fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}$/), times),
    { minLength: 1, maxLength: 5, selector: ([name]) => name },
  );
  fc.assert(fc.property(plans, (parts) => {
    const plan = new Map(parts);
    assert.deepEqual(parseFailurePlan(formatFailurePlan(plan)), plan);
  }));
});

Deno.test("failureAsked() asks the named subscriber to fail its first attempts", () => {
  const asked = [1, 2, 3].map((attempt) => failureAsked("email:2", "email", attempt));
  assert.deepEqual(asked, ["fail", "fail", undefined]);
  assert.equal(failureAsked("email:2", "loyalty", 1), undefined);
  assert.equal(failureAsked("loyalty:always", "loyalty", 1_000), "fail");
  assert.equal(failureAsked("loyalty:crash", "loyalty", 1_000), "crash");
});

Deno.test("failureAsked() takes a header that is no plan for no plan", () => {
  for (const header of [undefined, null, 7, {}, ["email:2"], "email", "", "email:2,¡ay!"]) {
    assert.equal(failureAsked(header, "email", 1), undefined);
  }
});
