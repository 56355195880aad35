/** The checker of the users API must be able to fail: each thing that must not be is fed to it once. */
import assert from "node:assert/strict";
import { type ApiBooks, auditApi, type UserRecord } from "../../tasks/chaos/accounts/api_ledger.ts";

function user(n: number, isAnnounced = true): UserRecord {
  return { userId: `u-${n}`, eventId: `e-${n}`, isAnnounced };
}

function answer(n: number) {
  return { userId: `u-${n}`, eventId: `e-${n}`, isReplay: false };
}

function rows(effects: Readonly<Record<string, number>>, deadLetters: readonly string[] = []) {
  return {
    effects: new Map(Object.entries(effects)),
    deadLetters: new Map(deadLetters.map((id) => [id, 1])),
  };
}

/** Two users to whom everything has happened, with some of it changed. */
function books(changes: Partial<ApiBooks> = {}): ApiBooks {
  return {
    answers: [answer(1), answer(2)],
    users: [user(1), user(2)],
    outbox: [],
    subscribers: { email: rows({ "e-1": 1, "e-2": 1 }), loyalty: rows({ "e-1": 1, "e-2": 1 }) },
    ...changes,
  };
}

function violations(changes: Partial<ApiBooks>) {
  return auditApi(books(changes)).violations;
}

Deno.test("auditApi() finds nothing wrong where users, events and effects are the same", () => {
  assert.deepEqual(auditApi(books()), {
    violations: [],
    ledger: {
      answered: 2,
      users: 2,
      announced: 2,
      waiting: 0,
      effects: { email: 2, loyalty: 2 },
    },
  });
});

Deno.test("auditApi() reports a lost event, by subscriber", () => {
  const email = rows({ "e-1": 1 });
  const loyalty = rows({ "e-1": 1, "e-2": 1 });
  assert.deepEqual(violations({ subscribers: { email, loyalty } }), [
    { kind: "lost", subscriber: "email", ids: ["e-2"] },
  ]);
});

Deno.test("auditApi() reports a user without an event, though its effects be there", () => {
  assert.deepEqual(violations({ users: [user(1), user(2, false)] }), [
    { kind: "user without event", ids: ["u-2"] },
  ]);
});

Deno.test("auditApi() reports an event without a user, in the outbox and in an effect", () => {
  const found = violations({
    outbox: [{ eventId: "e-9", userId: "u-9" }],
    subscribers: { email: rows({ "e-1": 1, "e-2": 1, "e-8": 1 }) },
  });
  assert.deepEqual(found, [
    { kind: "event without user", ids: ["e-9"] },
    { kind: "event not published", ids: ["e-9"] },
    { kind: "phantom", subscriber: "email", ids: ["e-8"] },
  ]);
});

Deno.test("auditApi() reports an event that tells of another user than its own", () => {
  const found = violations({
    users: [user(1), user(2, false)],
    outbox: [{ eventId: "e-2", userId: "u-1" }],
  });
  assert.deepEqual(found.map(({ kind }) => kind), ["event without user", "event not published"]);
});

Deno.test("auditApi() reports a doubled effect, also where the sum is right", () => {
  const found = violations({ subscribers: { email: rows({ "e-1": 2 }) } });
  assert.deepEqual(found, [
    { kind: "lost", subscriber: "email", ids: ["e-2"] },
    { kind: "duplicate effect", subscriber: "email", ids: ["e-1"] },
  ]);
});

Deno.test("auditApi() reports an answer without a user, and a user of whom nobody was told", () => {
  assert.deepEqual(violations({ users: [user(1), user(2), user(3)] })[0], {
    kind: "registered, not answered",
    ids: ["e-3"],
  });
  assert.deepEqual(violations({ answers: [answer(1), answer(2), answer(3)] }), [
    { kind: "answered, not registered", ids: ["e-3"] },
  ]);
  const otherEvent = { ...answer(2), eventId: "e-7" };
  assert.deepEqual(violations({ answers: [answer(1), otherEvent] }), [
    { kind: "answered, not registered", ids: ["e-7"] },
  ]);
});

Deno.test("auditApi() reports what was announced and is in the outbox still", () => {
  const kinds = violations({ outbox: [{ eventId: "e-1", userId: "u-1" }] }).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["announced, and in the outbox", "event not published"]);
});

Deno.test("auditApi() does not call lost what waits in the outbox", () => {
  const found = violations({
    users: [user(1), user(2, false)],
    outbox: [{ eventId: "e-2", userId: "u-2" }],
    subscribers: { email: rows({ "e-1": 1 }) },
  });
  assert.deepEqual(found, [{ kind: "event not published", ids: ["e-2"] }]);
});

Deno.test("auditApi() reports a dead letter: nothing here has a reason to fail", () => {
  const subscribers = { email: rows({ "e-1": 1, "e-2": 1 }, ["e-2"]) };
  assert.deepEqual(violations({ subscribers }), [
    { kind: "innocent dead letter", subscriber: "email", ids: ["e-2"] },
  ]);
});
