/** The demo's judge must see whatever can go wrong, or its "exactly once" is worth nothing. */
import assert from "node:assert/strict";
import type { StoredHoldings } from "@ecomarket/testbed/audit/event_audit";
import { type Expectation, judge } from "../../tasks/demo/verdict.ts";

const EXPECTED: readonly Expectation[] = [
  { event: { event_id: "e-1", nombre: "Juan Pérez" }, doomedAt: undefined },
  { event: { event_id: "e-2", nombre: "Mateo Díaz" }, doomedAt: "loyalty" },
];

type Counts = Record<string, number>;
interface Stores {
  readonly email?: [effects: Counts, deadLetters: Counts];
  readonly loyalty?: [effects: Counts, deadLetters: Counts];
  readonly deadLetters?: number;
}

/** What is judged where all went well but for `stores`. */
function problems({ email, loyalty, deadLetters }: Stores = {}): string[] {
  const tally = ([effects, dead]: [Counts, Counts]): StoredHoldings => ({
    effects: new Map(Object.entries(effects)),
    deadLetters: new Map(Object.entries(dead)),
  });
  const tallies = new Map([
    ["email", tally(email ?? [{ "e-1": 1, "e-2": 1 }, {}])],
    ["loyalty", tally(loyalty ?? [{ "e-1": 1 }, { "e-2": 1 }])],
  ]);
  return judge(tallies, deadLetters ?? 1, EXPECTED);
}

Deno.test("judge() finds nothing where each event had each effect once", () => {
  assert.deepEqual(problems(), []);
});

Deno.test("judge() sees a lost event", () => {
  assert.deepEqual(problems({ email: [{ "e-2": 1 }, {}] }), [
    "email: Juan Pérez (e-1) has 0 effect(s) and 0 dead letter(s), 1 and 0 were expected",
  ]);
});

Deno.test("judge() sees a doubled effect", () => {
  assert.deepEqual(problems({ email: [{ "e-1": 2, "e-2": 1 }, {}] }), [
    "email: Juan Pérez (e-1) has 2 effect(s) and 0 dead letter(s), 1 and 0 were expected",
  ]);
});

Deno.test("judge() sees a loss and a double that make up the right sum", () => {
  assert.equal(problems({ email: [{ "e-1": 2 }, {}] }).length, 2);
});

Deno.test("judge() sees an effect of an event that nobody published", () => {
  assert.deepEqual(problems({ email: [{ "e-1": 1, "e-2": 1, "e-9": 1 }, {}] }), [
    "email: e-9 was never published",
  ]);
});

Deno.test("judge() sees a missing dead letter", () => {
  assert.deepEqual(problems({ loyalty: [{ "e-1": 1 }, {}], deadLetters: 0 }), [
    "loyalty: Mateo Díaz (e-2) has 0 effect(s) and 0 dead letter(s), 0 and 1 were expected",
    "0 dead letter(s) are archived, 1 was expected",
  ]);
});

Deno.test("judge() sees an effect of the event that should have failed", () => {
  assert.deepEqual(problems({ loyalty: [{ "e-1": 1, "e-2": 1 }, { "e-2": 1 }] }), [
    "loyalty: Mateo Díaz (e-2) has 1 effect(s) and 1 dead letter(s), 0 and 1 were expected",
  ]);
});

Deno.test("judge() sees a dead letter too many: doubled, of another event, of no subscriber", () => {
  assert.equal(problems({ loyalty: [{ "e-1": 1 }, { "e-2": 2 }], deadLetters: 2 }).length, 2);
  assert.equal(problems({ email: [{ "e-1": 1, "e-2": 1 }, { "e-1": 1 }] }).length, 1);
  assert.deepEqual(problems({ deadLetters: 2 }), ["2 dead letter(s) are archived, 1 was expected"]);
});
