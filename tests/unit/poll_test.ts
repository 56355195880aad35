import assert from "node:assert/strict";
import { LateError, poll, until } from "@ecomarket/shared/base/poll";

Deno.test("poll() asks until there is something, which 0 and null are, and false is not", async () => {
  for (const [found, ...nothing] of [[0, undefined, false], [null, false], ["", undefined]]) {
    const answers = [...nothing, found];
    const options = { timeoutMs: 10_000, intervalMs: 0 };
    assert.equal(await poll(() => Promise.resolve(answers.shift()), options), found);
    assert.deepEqual(answers, []);
  }
});

Deno.test("poll() asks once where there is no time, and ends with what is thrown, or aborted", async () => {
  assert.equal(await poll(() => "there", { timeoutMs: 0 }), "there");
  assert.equal(await poll(() => undefined, { timeoutMs: 0 }), undefined);
  const fails = () => Promise.reject(new Error("no"));
  await assert.rejects(poll(fails, { timeoutMs: 10_000 }), { message: "no" });
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(poll(() => "there", { timeoutMs: 0, signal }), { message: "enough" });
});

Deno.test("until() names what it waited for", async () => {
  await until("a yes", () => true, { timeoutMs: 0 });
  await assert.rejects(until("a yes", () => false, { timeoutMs: 0 }), (error) => {
    assert.ok(error instanceof LateError);
    assert.match(error.message, /^Waited 0 s for a yes, and it did not come\. Try again/);
    return true;
  });
});
