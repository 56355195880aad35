import assert from "node:assert/strict";
import { auditRun, violations } from "../../tasks/chaos/accounts/run_audit.ts";

const JOURNAL = [{ eventId: "a", fail: "", outcome: "confirmed", wasInDoubt: false }] as const;
const API = {
  answers: [{ userId: "u", eventId: "b", isReplay: false }],
  users: [{ userId: "u", eventId: "b", isAnnounced: true }],
  outbox: [],
};

function email(...effects: string[]) {
  return {
    email: {
      effects: new Map(effects.map((id) => [id, 1])),
      deadLetters: new Map(),
      duplicateDeliveries: 0,
    },
  };
}

Deno.test("auditRun() gives each event to the one who published it", () => {
  const { events, usersApi } = auditRun(JOURNAL, email("a", "b"), API);
  assert.deepEqual(events.violations, []);
  assert.equal(events.ledger.subscribers.email!.effects, 1);
  assert.deepEqual(usersApi!.violations, []);
  assert.deepEqual(usersApi!.ledger.effects, { email: 1 });
});

Deno.test("auditRun() sees an event of the API that is lost, and one that nobody published", () => {
  const { events, usersApi } = auditRun(JOURNAL, email("a", "stranger"), API);
  assert.deepEqual(events.violations, [
    { subscriber: "email", kind: "phantom", ids: ["stranger"] },
  ]);
  assert.deepEqual(usersApi!.violations, [
    { subscriber: "email", kind: "lost", ids: ["b"] },
    { subscriber: "email", kind: "phantom", ids: ["stranger"] },
  ]);
});

Deno.test("auditRun() tells nothing of an API that did not run", () => {
  assert.equal(auditRun(JOURNAL, email("a")).usersApi, undefined);
});

Deno.test("auditRun() tells what an asynchronous standby forgot from what nothing explains", () => {
  const journal = ["a", "b", "c"].map((eventId) => ({ ...JOURNAL[0], eventId }));
  const primary = {
    subscribers: email("a", "b"),
    users: [{ userId: "v", eventId: "d", isAnnounced: true }],
  };
  const answers = ["d", "e"].map((eventId) => ({ userId: "v", eventId, isReplay: false }));
  const found = email("a", "d");
  found.email.effects.set("a", 2);
  const api = { answers, users: [], outbox: [] };
  const audit = auditRun(journal, found, api, primary);
  const ids = (kind: string, list: readonly { kind: string; ids: readonly string[] }[]) =>
    new Set(list.filter((one) => one.kind === kind).flatMap((one) => one.ids));
  assert.deepEqual(ids("lost", audit.forgotten!), new Set(["b"]));
  assert.deepEqual(ids("phantom", audit.forgotten!), new Set(["d"]));
  assert.deepEqual(ids("answered, not registered", audit.forgotten!), new Set(["d"]));
  assert.deepEqual(ids("lost", violations(audit)), new Set(["c"]));
  assert.deepEqual(ids("phantom", violations(audit)), new Set());
  assert.deepEqual(ids("duplicate effect", violations(audit)), new Set(["a"]));
  assert.deepEqual(ids("answered, not registered", violations(audit)), new Set(["e"]));
});
