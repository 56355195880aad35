/** The checker must be able to fail: each thing that must not be is fed to it once. */
import assert from "node:assert/strict";
import { audit, type SubscriberRows } from "../../tasks/chaos/accounts/ledger.ts";
import type { JournalEntry } from "../../tasks/chaos/load/journal.ts";

function entry(eventId: string, more: Partial<JournalEntry> = {}): JournalEntry {
  return { eventId, fail: "", outcome: "confirmed", wasInDoubt: false, ...more };
}

function rows(
  effects: Readonly<Record<string, number>>,
  deadLetters: Readonly<Record<string, number>> = {},
  duplicateDeliveries = 0,
): SubscriberRows {
  return {
    effects: new Map(Object.entries(effects)),
    deadLetters: new Map(Object.entries(deadLetters)),
    duplicateDeliveries,
  };
}

Deno.test("audit() finds nothing wrong in a run in which nothing went wrong", () => {
  const journal = [
    entry("a"),
    entry("b", { fail: "email:1" }),
    entry("c", { fail: "email:crash" }),
  ];
  const { ledger, violations } = audit(journal, {
    email: rows({ a: 1, b: 1 }, { c: 1 }, 2),
    loyalty: rows({ a: 1, b: 1, c: 1 }),
  });
  assert.deepEqual(violations, []);
  assert.deepEqual(ledger, {
    attempted: 3,
    confirmed: 3,
    returned: 0,
    nacked: 0,
    ambiguous: 0,
    recovered: 0,
    subscribers: {
      email: {
        delivered: 3,
        effects: 2,
        duplicateDeliveries: 2,
        duplicateEffects: 0,
        deadLettered: 1,
        lost: 0,
      },
      loyalty: {
        delivered: 3,
        effects: 3,
        duplicateDeliveries: 0,
        duplicateEffects: 0,
        deadLettered: 0,
        lost: 0,
      },
    },
  });
});

Deno.test("audit() reports a lost event, by subscriber and id", () => {
  const { ledger, violations } = audit([entry("a"), entry("b")], {
    email: rows({ a: 1, b: 1 }),
    loyalty: rows({ a: 1 }),
  });
  assert.deepEqual(violations, [{ subscriber: "loyalty", kind: "lost", ids: ["b"] }]);
  assert.equal(ledger.subscribers.loyalty?.lost, 1);
  assert.equal(ledger.subscribers.email?.lost, 0);
});

Deno.test("audit() reports a doubled effect, also where the sum is right", () => {
  const { ledger, violations } = audit([entry("a"), entry("b")], { email: rows({ a: 2 }) });
  assert.deepEqual(violations, [
    { subscriber: "email", kind: "lost", ids: ["b"] },
    { subscriber: "email", kind: "duplicate effect", ids: ["a"] },
  ]);
  assert.equal(ledger.subscribers.email?.effects, 2);
  assert.equal(ledger.subscribers.email?.duplicateEffects, 1);
});

Deno.test("audit() reports a phantom: an effect or a dead letter of what nobody published", () => {
  const { violations } = audit([entry("a")], { email: rows({ a: 1, x: 1 }, { y: 1 }) });
  assert.deepEqual(violations, [{ subscriber: "email", kind: "phantom", ids: ["x", "y"] }]);
});

Deno.test("audit() reports an innocent event among the dead letters", () => {
  const journal = [
    entry("a"),
    entry("b", { fail: "loyalty:crash" }),
    entry("c", { fail: "email:2" }),
  ];
  const { violations } = audit(journal, { email: rows({ a: 1 }, { b: 1, c: 1 }) });
  assert.deepEqual(violations, [
    { subscriber: "email", kind: "innocent dead letter", ids: ["b", "c"] },
  ]);
});

Deno.test("audit() reports a doomed event that was handled all the same", () => {
  const journal = [entry("a", { fail: "email:always" })];
  const { violations } = audit(journal, { email: rows({ a: 1 }), loyalty: rows({ a: 1 }) });
  assert.deepEqual(violations, [
    { subscriber: "email", kind: "doomed but not dead-lettered", ids: ["a"] },
  ]);
});

Deno.test("audit() calls an event lost only where the publisher was told, or had to hope, that it is safe", () => {
  const journal = [
    entry("sent", { outcome: "sent" }),
    entry("unsent", { outcome: "unsent" }),
    entry("returned", { outcome: "returned" }),
    entry("nacked", { outcome: "nacked" }),
    entry("ambiguous", { outcome: "ambiguous", wasInDoubt: true }),
    entry("pending", { outcome: "pending" }),
  ];
  const { ledger, violations } = audit(journal, { email: rows({}) });
  assert.deepEqual(violations, [{ subscriber: "email", kind: "lost", ids: ["sent"] }]);
  assert.deepEqual(
    [ledger.attempted, ledger.confirmed, ledger.returned, ledger.nacked, ledger.ambiguous],
    [6, 0, 1, 1, 2],
  );
});

Deno.test("audit() counts an event in doubt as recovered once every subscriber has seen it", () => {
  const journal = [entry("a", { wasInDoubt: true }), entry("b", { wasInDoubt: true })];
  const { ledger } = audit(journal, {
    email: rows({ a: 1, b: 1 }),
    loyalty: rows({ a: 1 }),
  });
  assert.equal(ledger.ambiguous, 2);
  assert.equal(ledger.recovered, 1);
});
