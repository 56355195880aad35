import assert from "node:assert/strict";
import { memoryOfRoles, type MemorySample } from "../../tasks/chaos/memory.ts";

const MINUTE = 60_000;

function life(pid: number, minutes: number, bytesAt: (part: number) => number): MemorySample[] {
  const count = 40;
  return Array.from({ length: count + 1 }, (_, n) => ({
    role: "email",
    pid,
    atMs: pid * 1_000 * MINUTE + n / count * minutes * MINUTE,
    bytes: bytesAt(n / count),
  }));
}

Deno.test("memoryOfRoles() calls a life flat that breathes, and one flat that grew while it started", () => {
  const breathing = life(1, 20, (part) => 100 + 10 * Math.sin(part * 40));
  assert.equal(memoryOfRoles(breathing)[0]!.isFlat, true);
  const warming = life(1, 20, (part) => part < 0.2 ? 30 : 100);
  assert.equal(memoryOfRoles(warming)[0]!.isFlat, true);
});

Deno.test("memoryOfRoles() sees a leak", () => {
  const [memory] = memoryOfRoles(life(1, 20, (part) => 100 + 100 * part));
  assert.equal(memory!.isFlat, false);
  assert.ok(memory!.finalBytes > memory!.settledBytes);
});

Deno.test("memoryOfRoles() does not judge a process that lived shortly", () => {
  assert.equal(memoryOfRoles(life(1, 14, (part) => 100 + 900 * part))[0]!.isFlat, undefined);
});

Deno.test("memoryOfRoles() judges a role by its longest life, and tells the peak of all", () => {
  const [memory] = memoryOfRoles([
    ...life(1, 16, () => 100),
    ...life(2, 22, () => 200),
    ...life(3, 1, () => 300),
  ]);
  assert.equal(memory!.lifeMs, 22 * MINUTE);
  assert.equal(memory!.finalBytes, 200);
  assert.equal(memory!.peakBytes, 300);
  assert.equal(memory!.isFlat, true);
});

Deno.test("memoryOfRoles() has nothing to tell of a run that was never looked at", () => {
  assert.deepEqual(memoryOfRoles([]), []);
});
