import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fault } from "../../tasks/chaos/faults/fault.ts";
import { schedule } from "../../tasks/chaos/schedule.ts";

function fault(name: string, needs?: "analytics"): Fault {
  return {
    name,
    description: name,
    nodes: 1,
    ...(needs ? { needs } : {}),
    inject: () => Promise.reject(new Error("not in this test")),
  };
}

const FAULTS = ["a", "b", "c", "d", "e", "f"].map((name) => fault(name));
const BACK = fault("back");

Deno.test("schedule() tells the same run again for the same seed, and another one for another", () => {
  const told = (seed: number) =>
    schedule(FAULTS, seed, 60_000).map(({ fault, atMs }) => `${fault.name}@${atMs}`);
  assert.deepEqual(told(1), told(1));
  assert.notDeepEqual(told(1), told(2));
});

Deno.test("schedule() has every fault once, in time and in order, whatever the seed", () => {
  fc.assert(fc.property(fc.nat({ max: 2 ** 31 - 1 }), (seed) => {
    const slots = schedule(FAULTS, seed, 60_000);
    assert.deepEqual(slots.map(({ fault }) => fault.name).sort(), FAULTS.map(({ name }) => name));
    const times = slots.map(({ atMs }) => atMs);
    assert.deepEqual(times, [...times].sort((a, b) => a - b));
    assert.ok(times.every((atMs) => atMs > 0 && atMs < 60_000));
  }));
});

Deno.test("schedule() does nothing to a subscriber that is down before it is back, in the middle", () => {
  const faults = [...FAULTS, fault("kill", "analytics"), fault("term", "analytics")];
  fc.assert(fc.property(fc.nat({ max: 2 ** 31 - 1 }), (seed) => {
    const slots = schedule(faults, seed, 60_000, { fault: BACK, subscriber: "analytics" });
    const names = slots.map(({ fault }) => fault.name);
    assert.equal(names.length, faults.length + 1);
    const back = names.indexOf("back");
    assert.ok(back > 0 && back < names.length - 1);
    assert.ok(names.indexOf("kill") > back && names.indexOf("term") > back);
  }));
});
