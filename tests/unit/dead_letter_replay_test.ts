/** What is decided about a replay, without sending anything: the message, the item, the verdict. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { UsageError } from "@ecomarket/shared/base/errors";
import type { ConfirmResult, Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { FullLetter } from "../../tasks/dead_letters/archive/letters.ts";
import type { Item } from "../../tasks/dead_letters/archive/operations.ts";
import { newOperationId } from "../../tasks/dead_letters/archive/operations.ts";
import { whoAmI } from "../../tasks/dead_letters/archive/who.ts";
import { parseSize, tooMany } from "../../tasks/dead_letters/discard/retention.ts";
import { decideItem, type ItemFacts } from "../../tasks/dead_letters/replay/decide.ts";
import {
  contractProblem,
  eventIdOf,
  type ReplayMessage,
  replayMessage,
} from "../../tasks/dead_letters/replay/message.ts";
import { mergePatch, parsePatch } from "../../tasks/dead_letters/replay/patch.ts";
import { parseReplayArguments } from "../../tasks/dead_letters/replay/replay_arguments.ts";
import { sendMessage } from "../../tasks/dead_letters/replay/send.ts";
import { verdictInWords, verdictOf } from "../../tasks/dead_letters/replay/verdict.ts";

const NOW = new Date("2026-11-24T12:00:00.000Z");
const EVENT = createUsuarioCreado({ user_id: "u-1", nombre: "Ana", email: "ana@example.com" }, NOW);

function letter(changes: Partial<FullLetter> = {}, body: unknown = EVENT): FullLetter {
  return {
    id: 7,
    messageId: EVENT.event_id,
    originQueue: "email_queue",
    reason: "permanent-error",
    failureMessage: "mailbox full",
    failedAt: undefined,
    archivedAt: "2026-11-24T10:00:00.000Z",
    retries: 3,
    isReplayed: false,
    bytes: 0,
    properties: JSON.stringify({ messageId: EVENT.event_id, expiration: "5", appId: "x" }),
    headers: JSON.stringify({
      "x-mine": { type: "Buffer", data: [1, 2] },
      "x-retries": 3,
      "x-origin-queue": "email_queue",
      "x-failure-reason": "permanent-error",
      "x-failure-message": "mailbox full",
      "x-failure-id": "f",
      "x-failed-at": "t",
      "x-death": [{ queue: "email_queue" }],
    }),
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    originalProperties: undefined,
    replayId: undefined,
    copyOf: undefined,
    discardedIn: undefined,
    ...changes,
  };
}

const OPTIONS = { operation: "op-1", replayId: "op-1/7" };

function sent(found: ReplayMessage): ReplayMessage & { kind: "message" } {
  assert.equal(found.kind, "message", JSON.stringify(found));
  return found as ReplayMessage & { kind: "message" };
}

Deno.test("replayMessage() goes to the origin's own queue, as archived and without its failure", () => {
  const { eventId, outgoing } = sent(replayMessage(letter(), OPTIONS));
  assert.equal(eventId, EVENT.event_id);
  assert.equal(outgoing.exchange, "email_queue.retry");
  assert.equal(outgoing.routingKey, "email_queue");
  assert.deepEqual(JSON.parse(outgoing.content.toString()), EVENT);
  assert.deepEqual(outgoing.options, {
    appId: "x",
    messageId: EVENT.event_id,
    deliveryMode: 2,
    headers: { "x-mine": Buffer.from([1, 2]), "x-retries": 0, "x-replay-id": "op-1/7" },
  });
});

Deno.test("replayMessage() keeps who replayed it, and what its properties were, where they cannot be written", () => {
  const original = Buffer.from('{"properties":{}}');
  const { outgoing, fallback } = sent(
    replayMessage(letter({ originalProperties: original }), OPTIONS),
  );
  assert.deepEqual(outgoing.options.headers["x-original-properties"], original);
  assert.equal(fallback.options.headers["x-replay-id"], "op-1/7");
  assert.equal(fallback.options.headers["x-retries"], 0);
});

Deno.test("replayMessage() merges the patch into the archived body, with the same event id", () => {
  const patch = { email: "otra@example.com" };
  const { eventId, outgoing } = sent(replayMessage(letter(), { ...OPTIONS, patch }));
  assert.equal(eventId, EVENT.event_id);
  assert.deepEqual(JSON.parse(outgoing.content.toString()), { ...EVENT, ...patch });
  const { event_id: _, ...nameless } = EVENT;
  const second = sent(replayMessage(letter({}, nameless), { ...OPTIONS, patch }));
  assert.equal(second.eventId, EVENT.event_id, "the message's id, where the body names none");
});

Deno.test("replayMessage() refuses what would be no event, and says why", () => {
  const reasonOf = (found: ReplayMessage) => found.kind === "refusal" ? found.reason : "sent";
  const patched = (patch: Record<string, unknown>, changes: Partial<FullLetter> = {}) =>
    reasonOf(replayMessage(letter(changes), { ...OPTIONS, patch }));
  assert.match(
    patched({ email: "nada" }),
    /^what would be sent is no event: email must be an email/,
  );
  assert.match(patched({ nombre: null }), /nombre is missing/);
  assert.match(patched({ a: 1 }, { body: Buffer.from("no es {") }), /the body is not valid JSON/);
  assert.match(patched({ event_type: "CompraRealizada" }), /event_type must be "UsuarioCreado"/);
  assert.match(reasonOf(replayMessage(letter({ originQueue: "unknown" }), OPTIONS)), /^nobody has/);
  const deadly = letter({ reason: "delivery_limit" });
  assert.match(reasonOf(replayMessage(deadly, OPTIONS)), /--poison$/);
  assert.equal(replayMessage(deadly, { ...OPTIONS, poison: true }).kind, "message");
});

Deno.test("replayMessage() makes one new event of one event, the same one whenever it is asked", () => {
  const options = { ...OPTIONS, newId: true, patch: { email: "otra@example.com" } };
  const first = sent(replayMessage(letter(), options));
  assert.notEqual(first.eventId, EVENT.event_id);
  assert.equal(first.outgoing.options.messageId, first.eventId);
  assert.equal(first.outgoing.options.headers["x-replaces-event"], EVENT.event_id);
  assert.equal(JSON.parse(first.outgoing.content.toString()).event_id, first.eventId);
  const twin = sent(replayMessage(letter({ id: 8 }), { ...options, replayId: "op-1/8" }));
  assert.equal(twin.eventId, first.eventId, "two dead letters of one event stay one event");
  const other = sent(replayMessage(letter(), { ...options, operation: "op-2" }));
  assert.notEqual(other.eventId, first.eventId);
});

Deno.test("contractProblem() says what is wrong today, eventIdOf() by what the inbox knows the event", () => {
  assert.equal(contractProblem(letter()), undefined);
  assert.match(contractProblem(letter({}, { ...EVENT, email: "x" }))!, /^email must be an email/);
  assert.equal(eventIdOf(letter({ messageId: "m" })), EVENT.event_id);
  assert.equal(eventIdOf(letter({ messageId: "m" }, "no es {")), "m");
  assert.equal(eventIdOf(letter({ messageId: "m" }, { event_id: 7 })), "m");
});

const ITEM: Item = {
  operation: "op-1",
  letter: 7,
  state: "pending",
  eventId: undefined,
  doneBefore: undefined,
  sentAt: undefined,
  detail: undefined,
};

function decide(changes: Partial<ItemFacts> = {}) {
  const decision = decideItem({
    item: ITEM,
    options: {},
    letter: letter(),
    otherItems: [],
    startedAt: "2026-11-24T12:00:00.000Z",
    hasFailedAgain: false,
    blockedOrigin: undefined,
    isDone: () => false,
    twinOf: () => undefined,
    ...changes,
  });
  if (decision.kind === "send") return `send ${decision.note.doneBefore}`;
  return `${decision.note.state}: ${decision.note.detail ?? ""}`;
}

const isDone = (id: string) => (eventId: string) => eventId === id;

Deno.test("decideItem() sends what is pending, and notes whether it was done before", () => {
  assert.equal(decide(), "send false");
  assert.equal(decide({ isDone: () => undefined }), "send undefined");
  assert.equal(decide({ isDone: () => true }), "send true", "unchanged: the inbox ends it");
});

Deno.test("decideItem() looks for evidence of what may have been sent, and sends the same again only without", () => {
  const item: Item = { ...ITEM, state: "sending", eventId: EVENT.event_id };
  assert.equal(decide({ item, isDone: () => true }), "sent: ");
  assert.equal(decide({ item, hasFailedAgain: true }), "sent: ");
  assert.equal(decide({ item }), "send false");
  assert.equal(decide({ item, isDone: () => undefined }), "send undefined");
});

Deno.test("decideItem() refuses what is not there any more, or has nowhere to go", () => {
  assert.match(decide({ letter: undefined }), /^refused: the archive has no such/);
  assert.match(decide({ letter: letter({ discardedIn: "op-0" }) }), /^refused: it was discarded/);
  assert.match(
    decide({ letter: letter({ copyOf: 3 }) }),
    /^refused: it is a copy of dead letter 3/,
  );
  assert.equal(decide({ blockedOrigin: "gone" }), "refused: gone");
});

Deno.test("decideItem() skips what another operation or another dead letter has sent meanwhile", () => {
  const other: Item = { ...ITEM, operation: "op-2", state: "sent", eventId: EVENT.event_id };
  const later = { ...other, sentAt: "2026-11-24T12:00:01.000Z" };
  const earlier = { ...other, sentAt: "2026-11-24T11:59:59.000Z" };
  assert.match(decide({ otherItems: [later] }), /^skipped: operation op-2 has sent it since/);
  assert.equal(decide({ otherItems: [earlier] }), "send false");
  assert.match(decide({ twinOf: () => 3 }), /^skipped: dead letter 3 has the same event/);
});

Deno.test("decideItem() sends nothing edited that was done, and nothing done under another id, but as a new event", () => {
  const patch = { email: "otra@example.com" };
  const done = isDone(EVENT.event_id);
  assert.match(decide({ options: { patch }, isDone: done }), /^refused: .* nothing would happen/);
  assert.equal(decide({ options: { patch, newId: true }, isDone: done }), "send false");
  const asNew: Item = { ...ITEM, operation: "op-0", state: "sent", eventId: "e-2", sentAt: "2026" };
  const facts = { otherItems: [asNew], isDone: isDone("e-2") };
  assert.match(decide(facts), /^refused: it was done already, as the new event e-2/);
  assert.match(decide({ ...facts, options: { patch } }), /^refused: it was done already/);
  assert.equal(decide({ ...facts, options: { newId: true } }), "send false");
});

Deno.test("verdictOf() tells what was done from what failed, waits, or was done before", () => {
  const item: Item = { ...ITEM, state: "sent", eventId: EVENT.event_id, doneBefore: false };
  const failure = { letter: 9, reason: "permanent-error", message: "still full" };
  const kind = (changes: Partial<Parameters<typeof verdictOf>[0]>) =>
    verdictOf({ item, failure: undefined, isDone: false, ...changes }).kind;
  assert.equal(kind({}), "waiting");
  assert.equal(kind({ isDone: true }), "handled");
  const handled = verdictOf({ item, failure, isDone: true });
  assert.deepEqual(handled, { kind: "handled", failure }, "of two copies, one did it");
  assert.equal(verdictInWords(handled), "handled, after it had failed again as dead letter 9");
  assert.equal(kind({ isDone: true, item: { ...item, doneBefore: true } }), "already-done");
  assert.deepEqual(verdictOf({ item, failure, isDone: false }), { kind: "failed-again", failure });
  assert.equal(kind({ failure, isDone: undefined }), "failed-again");
  assert.equal(kind({ isDone: undefined }), "unknown");
  assert.deepEqual(
    verdictOf({
      item: { ...ITEM, state: "refused", detail: "gone" },
      failure: undefined,
      isDone: undefined,
    }),
    { kind: "refused", detail: "gone" },
  );
});

Deno.test("sendMessage() tells what is known: sent, refused, or in doubt", async () => {
  const message = sent(replayMessage(letter(), OPTIONS));
  const given: Outgoing[] = [];
  const send = (...results: ConfirmResult[]) =>
    sendMessage(message, (outgoing) => {
      given.push(outgoing);
      return Promise.resolve(results.shift()!);
    });
  const unwritable = { kind: "unsent", reason: "too large", isUnwritable: true } as const;
  assert.equal((await send({ kind: "confirmed" })).kind, "sent");
  assert.equal((await send({ kind: "returned", reason: "no queue" })).kind, "refused");
  assert.equal(
    (await send({ kind: "nacked", reason: "full" }, { kind: "confirmed" })).kind,
    "sent",
  );
  assert.equal((await send({ kind: "ambiguous", reason: "lost" })).kind, "ambiguous");
  const closed = { kind: "unsent", reason: "closed", isUnwritable: false } as const;
  assert.equal((await send(closed)).kind, "ambiguous");
  given.length = 0;
  assert.equal((await send(unwritable, { kind: "confirmed" })).kind, "sent");
  assert.deepEqual(given, [message.outgoing, message.fallback]);
  assert.equal((await send(unwritable, unwritable)).kind, "refused");
});

Deno.test("mergePatch() merges as RFC 7396 says, and changes neither of the two", () => {
  const body = { a: 1, b: { c: 2, d: 3 }, e: [1, 2] };
  const patch = { a: null, b: { c: null, f: 4 }, e: [3], g: { h: null, i: 5 } };
  assert.deepEqual(mergePatch(body, patch), { b: { d: 3, f: 4 }, e: [3], g: { i: 5 } });
  assert.deepEqual(body, { a: 1, b: { c: 2, d: 3 }, e: [1, 2] });
  const hostile = mergePatch({}, JSON.parse('{"__proto__":{"admin":true}}'));
  assert.equal((hostile as { admin?: unknown }).admin, undefined);
});

Deno.test("parsePatch() and parseReplayArguments() refuse what cannot be meant", () => {
  for (const text of ["", "{", "[]", "7", "null", "{}", '{"event_id":"x"}']) {
    assert.throws(() => parsePatch(text), UsageError, text);
  }
  const wrong = [
    [],
    ["--subscriber", "email"],
    ["1", "--all"],
    ["1", "--group", "abcd"],
    ["--all", "--limit", "0"],
    ["--all", "--rate", "0"],
    ["--all", "--rate", "x"],
  ];
  for (const args of wrong) {
    assert.throws(() => parseReplayArguments(args, NOW), UsageError, args.join(" "));
  }
});

Deno.test("tooMany() leaves the newest that fit, parseSize() reads a size", () => {
  const letters = [1, 2, 3].map((id) => ({ id, bytes: 100 }));
  assert.deepEqual(tooMany(letters, 300), []);
  assert.deepEqual(tooMany(letters, 299), [1]);
  assert.deepEqual(tooMany(letters, 0), [1, 2, 3]);
  assert.equal(parseSize("500MB"), 500_000_000);
  assert.equal(parseSize("2gb"), 2_000_000_000);
  for (const size of ["", "500", "1TB", "-1MB"]) assert.throws(() => parseSize(size), UsageError);
});

Deno.test("whoAmI() says what the environment knows, and newOperationId() when it was", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  assert.equal(whoAmI(env({ USER: "ana", HOSTNAME: "caja" })), "ana@caja");
  assert.equal(whoAmI(env({ USERNAME: "ana", COMPUTERNAME: "caja" })), "ana@caja");
  assert.equal(whoAmI(env({ USER: "", LOGNAME: "ana" })), "ana");
  assert.equal(whoAmI(env({})), "unknown");
  assert.match(newOperationId(NOW), /^20261124-120000-[0-9a-f]{4}$/);
});
