/** The way to what a handler depends on: who asks, how often, and what is noted. */
import assert from "node:assert/strict";
import { roleLogger } from "@ecomarket/shared/process/log";
import type { Pause } from "@ecomarket/shared/store/pauses";
import { DependencyGate } from "../../shared/subscriber/dependency_gate.ts";
import { Hold } from "../../shared/subscriber/hold.ts";
import { eventually } from "../support/eventually.ts";

/** A gate before a dependency that a test decides about, and what it did. */
function open() {
  const stop = new AbortController();
  const checks: PromiseWithResolvers<void>[] = [];
  const notes: (Pause | undefined)[] = [];
  const changes: boolean[] = [];
  const check = () => {
    const answer = Promise.withResolvers<void>();
    checks.push(answer);
    return answer.promise;
  };
  const gate = new DependencyGate({ queue: "q", dependency: { name: "the server", check } }, {
    store: { notePause: (pause) => Promise.resolve(void notes.push(pause)) },
    log: roleLogger("test"),
    signal: stop.signal,
    probePace: { firstMs: 1, maxMs: 5 },
  });
  gate.onChange = () => void changes.push(gate.isAway);
  const asked = async (times: number) => {
    await eventually(() => assert.equal(checks.length, times));
    return checks.at(-1)!;
  };
  return { gate, checks, notes, changes, asked, [Symbol.dispose]: () => stop.abort() };
}

Deno.test("DependencyGate.isAvailable() asks once for all who ask at the same time", async () => {
  using opened = open();
  const { gate, checks, asked } = opened;
  const answers = Promise.all([gate.isAvailable(), gate.isAvailable(), gate.isAvailable()]);
  (await asked(1)).resolve();
  assert.deepEqual(await answers, [true, true, true]);
  assert.equal(checks.length, 1);
});

Deno.test("DependencyGate.isAvailable() takes no answer to a question that was asked before", async () => {
  using opened = open();
  const { gate, asked } = opened;
  const early = gate.isAvailable();
  const first = await asked(1);
  const late = [gate.isAvailable(), gate.isAvailable()];
  first.resolve();
  assert.equal(await early, true);
  (await asked(2)).reject(new Error("caído"));
  assert.deepEqual(await Promise.all(late), [false, false]);
});

Deno.test("DependencyGate is away until a check succeeds, and notes why for as long", async () => {
  using opened = open();
  const { gate, notes, changes, asked } = opened;
  const available = gate.isAvailable();
  (await asked(1)).reject(new Error("caído"));
  assert.equal(await available, false);
  (await asked(2)).reject(new Error("lleno"));
  const last = await asked(3);
  assert.deepEqual(changes, [true]);
  assert.equal(await gate.isAvailable(), false, "it is not asked once more");
  assert.deepEqual(notes.map((note) => [note?.waitsFor, note?.reason]), [
    ["the server", "caído"],
    ["the server", "lleno"],
  ]);
  last.resolve();
  await eventually(() => assert.deepEqual(changes, [true, false]));
  assert.equal(notes.at(-1), undefined);
});

Deno.test("DependencyGate takes a check that throws at once for one that fails, and needs no note of it", async () => {
  const stop = new AbortController();
  const dependency = {
    name: "the server",
    check(): Promise<void> {
      throw new Error("caído");
    },
  };
  const store = { notePause: () => Promise.reject(new Error("locked")) };
  const gate = new DependencyGate({ queue: "q", dependency }, {
    store,
    log: roleLogger("test"),
    signal: stop.signal,
  });
  assert.equal(await gate.isAvailable(), false);
  stop.abort();
});

Deno.test("DependencyGate without a dependency is always available", async () => {
  const gate = new DependencyGate({ queue: "q" }, {
    store: { notePause: () => Promise.resolve() },
    log: roleLogger("test"),
    signal: new AbortController().signal,
  });
  assert.equal(await gate.isAvailable(), true);
});

Deno.test("Hold holds while one of its needs is away", () => {
  const needs = ["the store is unavailable", "the mail server is away"]
    .map((absence) => ({ isAway: false, absence, onChange() {} }));
  const hold = new Hold(needs);
  let changes = 0;
  hold.onChange = () => changes++;
  const states = [[false, false], [true, false], [true, true], [false, true], [false, false]];
  const held = states.map((state) => {
    needs.forEach((need, index) => need.isAway = state[index]!);
    return [hold.isHeld, hold.reason];
  });
  assert.deepEqual(held, [
    [false, ""],
    [true, "the store is unavailable"],
    [true, "the store is unavailable; the mail server is away"],
    [true, "the mail server is away"],
    [false, ""],
  ]);
  needs.forEach((need) => need.onChange());
  assert.equal(changes, 2);
});
