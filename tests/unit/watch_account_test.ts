/** Whether what was published is all somewhere: the ledger's counts, and what is judged of them. */
import assert from "node:assert/strict";
import { Ledger } from "../../watch/ledger/ledger.ts";
import { ShortfallClock } from "../../watch/ledger/shortfall_clock.ts";
import { reconcile, SHORTFALL_PATIENCE_MS } from "../../watch/view/reconcile.ts";

const WISHES = [
  { name: "email", exchanges: ["user_events"] },
  { name: "loyalty", exchanges: ["user_events", "purchase_events"] },
];

function counts(ledger: Ledger, name: string) {
  const { published, effects, deadLetters } = ledger.tally(name);
  return { published, effects, deadLetters };
}

Deno.test("Ledger counts each event once, in whatever order it is told of it", async () => {
  await using ledger = await Ledger.open(WISHES);
  ledger.effect("email", "a"); // The store may tell before the broker.
  ledger.publish("a", "user_events");
  assert.equal(ledger.publish("a", "user_events"), false, "it was known");
  ledger.publish("b", "purchase_events");
  ledger.effect("loyalty", "b");
  assert.deepEqual(counts(ledger, "email"), { published: 1, effects: 1, deadLetters: 0 });
  assert.deepEqual(counts(ledger, "loyalty"), { published: 2, effects: 1, deadLetters: 0 });
  assert.deepEqual(ledger.openOf("loyalty"), ["a"]);
  assert.equal(ledger.published, 2);
});

Deno.test("Ledger counts a dead letter that was sent back and done as an effect, once", async () => {
  await using ledger = await Ledger.open(WISHES);
  ledger.publish("a", "user_events");
  ledger.letter("email", "a");
  ledger.letter("email", "a"); // It failed again.
  assert.deepEqual(counts(ledger, "email"), { published: 1, effects: 0, deadLetters: 1 });
  ledger.effect("email", "a");
  assert.deepEqual(counts(ledger, "email"), { published: 1, effects: 1, deadLetters: 0 });
  assert.deepEqual(ledger.tally("email").doubled, []);
});

Deno.test("Ledger names the events that were done twice, and leaves those of before out of the account", async () => {
  await using ledger = await Ledger.open(WISHES);
  ledger.publish("a", "user_events");
  for (const id of ["a", "a", "a", "earlier"]) ledger.effect("email", id);
  assert.deepEqual(ledger.tally("email").doubled, ["a"]);
  assert.deepEqual(counts(ledger, "email"), { published: 1, effects: 1, deadLetters: 0 });
});

Deno.test("Ledger knows an event by the id of its message as well, told before or after", async () => {
  await using ledger = await Ledger.open(WISHES);
  ledger.publish("a", "user_events", "message-of-a");
  ledger.letter("email", ledger.idOf("message-of-a"));
  ledger.letter("email", "message-of-b"); // The archive may tell before the broker.
  ledger.publish("b", "user_events", "message-of-b");
  assert.deepEqual(counts(ledger, "email"), { published: 2, effects: 0, deadLetters: 2 });
  assert.deepEqual(ledger.namesOf("b"), ["b", "message-of-b"]);
  assert.equal(ledger.idOf("c"), "c");
});

Deno.test("Ledger deletes its file when it is disposed of", async () => {
  const ledger = await Ledger.open(WISHES);
  const { directory } = ledger;
  await ledger[Symbol.asyncDispose]();
  await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
});

Deno.test("reconcile() says whether what is missing is on the broker, and for how long it may not be", () => {
  const tally = { published: 10, effects: 6, deadLetters: 1, doubled: [], open: ["x", "y", "z"] };
  const verdict = (held: number | undefined, shortForMs = 0) =>
    reconcile(tally, held, shortForMs).verdict;
  assert.equal(reconcile(tally, 3, 0).waiting, 3);
  assert.deepEqual(verdict(3), { kind: "waiting" });
  assert.deepEqual(verdict(4), { kind: "waiting" }, "a copy in doubt is no loss");
  assert.deepEqual(verdict(undefined), { kind: "unknown" });
  assert.deepEqual(verdict(1), { kind: "counting" });
  const nowhere = { kind: "nowhere", count: 2, ids: ["x", "y", "z"] };
  assert.deepEqual(verdict(1, SHORTFALL_PATIENCE_MS), nowhere);
});

Deno.test("reconcile() says that it adds up when nothing is missing, and never when something is doubled", () => {
  const tally = { published: 2, effects: 1, deadLetters: 1, doubled: [], open: [] };
  assert.deepEqual(reconcile(tally, undefined, 0).verdict, { kind: "settled" });
  const doubled = reconcile({ ...tally, doubled: ["a"] }, 0, 0).verdict;
  assert.deepEqual(doubled, { kind: "doubled", ids: ["a"] });
});

Deno.test("ShortfallClock runs from the first moment, and begins anew after a break", () => {
  const clock = new ShortfallClock();
  clock.note("email", true, 100);
  clock.note("email", true, 900);
  assert.equal(clock.lastsMs("email", 1_000), 900);
  clock.note("email", false, 1_100);
  assert.equal(clock.lastsMs("email", 1_200), 0);
});
