import assert from "node:assert/strict";
import { auditRun } from "../../tasks/chaos/accounts/run_audit.ts";

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
