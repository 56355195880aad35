/** The audit must be able to fail: each thing that must not be is fed to it once. */
import assert from "node:assert/strict";
import {
  auditEvents,
  type EventAudit,
  type Holdings,
  placeOf,
  type Published,
} from "@ecomarket/testbed/audit/event_audit";

const times = (counts: Readonly<Record<string, number>>) => new Map(Object.entries(counts));
const all = times({ a: 1, b: 1 });
const a = times({ a: 1 });
const b = times({ b: 1 });

/** What is found where `a` and `b` were published. Each finding that is not named is empty. */
const CASES: readonly [
  why: string,
  held: Holdings,
  found: Partial<EventAudit>,
  published?: Omit<Published, "ids">,
][] = [
  ["each had its effect", { effects: all }, {}],
  ["one is a dead letter that had to be", { effects: a, deadLetters: b }, {}, {
    doomed: new Set("b"),
  }],
  ["one waits", { effects: a, waiting: b }, {}],
  ["one is nowhere", { effects: a }, { lost: ["b"] }],
  ["one is nowhere, and nobody claimed it", { effects: a }, {}, { claimed: new Set("a") }],
  ["one had its effect twice", { effects: times({ a: 2, b: 1 }) }, { doubled: ["a"] }],
  ["one waits twice", { effects: a, waiting: times({ b: 2 }) }, { doubled: ["b"] }],
  ["one was published by nobody", { effects: times({ a: 1, b: 1, x: 2 }) }, { phantom: ["x"] }],
  ["dead letters and messages of nobody", {
    effects: all,
    deadLetters: times({ y: 1 }),
    waiting: times({ z: 1 }),
  }, { phantom: ["y", "z"] }],
  ["a dead letter had no reason to fail", { effects: a, deadLetters: b }, { innocent: ["b"] }],
  ["a doomed one was handled", { effects: all }, { spared: ["b"] }, { doomed: new Set("b") }],
];

for (const [why, held, expected, published] of CASES) {
  Deno.test(`auditEvents() where ${why}`, () => {
    const { endings, ...found } = auditEvents({ ids: ["a", "b"], ...published }, held);
    assert.deepEqual([...endings.keys()], ["a", "b"]);
    const nothing = { lost: [], doubled: [], phantom: [], innocent: [], spared: [] };
    assert.deepEqual(found, { ...nothing, ...expected });
  });
}

Deno.test("placeOf() is the first place where an event was found", () => {
  assert.equal(placeOf({ effects: 1, deadLetters: 1, waiting: 1 }), "effects");
  assert.equal(placeOf({ effects: 0, deadLetters: 1, waiting: 1 }), "deadLetters");
  assert.equal(placeOf({ effects: 0, deadLetters: 0, waiting: 1 }), "waiting");
  assert.equal(placeOf({ effects: 0, deadLetters: 0, waiting: 0 }), undefined);
});
