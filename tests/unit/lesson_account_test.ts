import assert from "node:assert/strict";
import { accountOf, problemsOf } from "../../tasks/lessons/account.ts";

const IDS = ["a", "b", "c", "d"];

Deno.test("accountOf() counts each event where it ended, and as lost where it is nowhere", () => {
  const account = accountOf(IDS, {
    effects: new Map([["a", 1], ["b", 2]]),
    deadLetters: new Map([["c", 1]]),
    deliveries: 7,
  });
  assert.deepEqual(account, {
    attempted: 4,
    accountedFor: 3,
    handled: 2,
    deadLettered: 1,
    waiting: 0,
    lost: 1,
    doubled: 1,
    wrong: 0,
    deliveries: 7,
  });
});

Deno.test("accountOf() counts an event once that is handled and still waits", () => {
  const both = new Map(IDS.map((id) => [id, 1]));
  const { handled, waiting, accountedFor } = accountOf(IDS, { effects: both, waiting: both });
  assert.deepEqual([handled, waiting, accountedFor], [4, 0, 4]);
});

Deno.test("accountOf() counts an event as handled and as wrong whose effect says something else", () => {
  const one = new Map(IDS.map((id) => [id, 1]));
  const { handled, wrong } = accountOf(IDS, { effects: one, wrong: new Set(["a", "b"]) });
  assert.deepEqual([handled, wrong], [4, 2]);
});

Deno.test("accountOf() ignores an event that nobody attempted", () => {
  const found = { effects: new Map([["z", 3]]), wrong: new Set(["z"]) };
  const { doubled, wrong } = accountOf(IDS, found);
  assert.deepEqual([doubled, wrong], [0, 0]);
});

const nothing = accountOf(IDS, {});
const all = accountOf(IDS, { effects: new Map(IDS.map((id) => [id, 1])) });
const twice = accountOf(IDS, { effects: new Map(IDS.map((id) => [id, 2])) });
const falsified = accountOf(IDS, {
  effects: new Map(IDS.map((id) => [id, 1])),
  wrong: new Set(["a"]),
});
const waiting = accountOf(IDS, { waiting: new Map(IDS.map((id) => [id, 1])) });

Deno.test("problemsOf() finds none where the harm was done before, and not after", () => {
  assert.deepEqual(problemsOf({ before: nothing, after: all }, "lost"), []);
  assert.deepEqual(problemsOf({ before: twice, after: all }, "doubled"), []);
  assert.deepEqual(problemsOf({ before: waiting, after: all }, "waiting"), []);
  assert.deepEqual(problemsOf({ before: falsified, after: all }, "wrong"), []);
});

Deno.test("problemsOf() names a side before that came to no harm", () => {
  assert.deepEqual(problemsOf({ before: all, after: all }, "lost"), [
    "before: nothing was lost, and the lesson says it is",
  ]);
});

Deno.test("problemsOf() names each harm of the side after, whatever the lesson is about", () => {
  assert.deepEqual(problemsOf({ before: twice, after: nothing }, "doubled"), [
    "after: 4 lost, and the lesson says none is",
  ]);
  assert.deepEqual(problemsOf({ before: twice, after: falsified }, "doubled"), [
    "after: 1 wrong, and the lesson says none is",
  ]);
  assert.deepEqual(problemsOf({ before: waiting, after: waiting }, "waiting"), [
    "after: 4 waiting, and the lesson says none is",
  ]);
});
