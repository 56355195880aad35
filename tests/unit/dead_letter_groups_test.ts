/** What dead letters have in common, which are meant, and what of them a terminal may show. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "@ecomarket/shared/base/errors";
import { bodyLines } from "../../tasks/dead_letters/letters/body_text.ts";
import {
  type Filterable,
  matches,
  parseAgeMs,
  parseFilter,
} from "../../tasks/dead_letters/letters/filter.ts";
import { groupId, normalise } from "../../tasks/dead_letters/letters/group.ts";
import { groupsOf } from "../../tasks/dead_letters/letters/groups.ts";
import { printable, printableJson, shortened } from "@ecomarket/shared/process/printable";
import { inWords, parseSelection } from "../../tasks/dead_letters/letters/selection.ts";

const SAME: Readonly<Record<string, readonly string[]>> = {
  "email must be an email address such as <email>": [
    "email must be an email address such as juan@example.com",
  ],
  "no user <id>": [
    "no user 0b8e1a62-6a2e-4b7a-9d0c-2f6f0a3a1b11",
    "no user u-17",
    "no user evt_9ab3",
  ],
  "took <n> ms": ["took 12 ms", "took 7.5 ms", "took -3 ms"],
  "connect ECONNREFUSED <n>": ["connect ECONNREFUSED 127.0.0.1:2525"],
  "<n> <n> <email>: <value> is unknown": [
    '550 5.1.1 <ana@x.mx>: "ana" is unknown',
    "550 5.7.1 luis@y.mx: 'luis' is unknown",
  ],
  "can't reach the user's mailbox": ["can't reach the user's mailbox"],
  "event_type must be <value>": ['event_type must be "UsuarioCreado"'],
};

Deno.test("normalise() takes quoted values, addresses, ids and numbers out, and leaves the fault", () => {
  for (const [message, raw] of Object.entries(SAME)) {
    for (const text of raw) assert.equal(normalise(text), message, text);
  }
  assert.notEqual(normalise("nombre is missing"), normalise("email is missing"));
});

Deno.test("normalise() answers for any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(typeof normalise(text), "string");
  }));
});

function letter(changes: Partial<Filterable> = {}): Filterable {
  return {
    originQueue: "email_queue",
    reason: "invalid-message",
    failureMessage: "no user u-1",
    archivedAt: "2026-11-24T10:00:00.000Z",
    isReplayed: false,
    ...changes,
  };
}

Deno.test("groupId() is the same for one cause, and another for another queue, reason or fault", () => {
  const id = groupId(letter());
  assert.match(id, /^[0-9a-f]{8}$/);
  assert.equal(groupId(letter({ failureMessage: "no user u-2" })), id);
  for (
    const other of [
      letter({ originQueue: "loyalty_queue" }),
      letter({ reason: "permanent-error" }),
      letter({ failureMessage: "no email" }),
    ]
  ) assert.notEqual(groupId(other), id);
  assert.equal(id, "e21518b5", "the same from one version to the next");
});

Deno.test("groupsOf() counts each cause, with its first and last time, the largest first", () => {
  const found = groupsOf([
    letter({ reason: "permanent-error", archivedAt: "2026-11-24T09:00:00.000Z" }),
    letter(),
    letter({ failureMessage: "no user u-2", archivedAt: "2026-11-24T11:00:00.000Z" }),
  ]);
  assert.deepEqual(
    found.map(({ count, reason, message, first, last }) => [
      count,
      reason,
      message,
      first.slice(11, 13),
      last.slice(11, 13),
    ]),
    [
      [2, "invalid-message", "no user <id>", "10", "11"],
      [1, "permanent-error", "no user <id>", "09", "09"],
    ],
  );
});

const NOW = new Date("2026-11-24T12:00:00.000Z");

Deno.test("matches() means what each filter says, and nothing that was sent back unless asked", () => {
  const meant = (values: Parameters<typeof parseFilter>[0], what = letter()) =>
    matches(what, parseFilter(values, NOW));
  assert.ok(meant({}));
  assert.ok(meant({ group: groupId(letter()) }));
  assert.ok(meant({ group: groupId(letter()).slice(0, 4) }));
  assert.ok(!meant({ group: "00000000" }));
  assert.ok(meant({ subscriber: "email" }));
  assert.ok(meant({ subscriber: "email_queue" }));
  assert.ok(!meant({ subscriber: "loyalty" }));
  assert.ok(meant({ subscriber: "audit_queue" }, letter({ originQueue: "audit_queue" })));
  assert.ok(!meant({ "reason-code": "permanent-error" }));
  assert.ok(meant({ "older-than": "1h" }));
  assert.ok(!meant({ "older-than": "2h" }), "exactly as old is not older");
  assert.ok(meant({ "newer-than": "2h" }));
  assert.ok(!meant({ "newer-than": "1h" }));
  assert.ok(!meant({}, letter({ isReplayed: true })));
  assert.ok(meant({ replayed: true }, letter({ isReplayed: true })));
});

Deno.test("parseFilter() refuses an age and a group that are none, parseSelection() ids beside them", () => {
  assert.equal(parseAgeMs("older-than", "90d"), 90 * 86_400_000);
  for (const age of ["", "90", "1w", "-1d", "1.5h", "9999999d"]) {
    assert.throws(() => parseFilter({ "older-than": age }, NOW), UsageError, age);
  }
  assert.throws(() => parseFilter({ group: "x" }, NOW), UsageError);
  assert.throws(() => parseSelection(["1"], { group: "abcd" }, NOW), UsageError);
  for (const word of ["0", "-1", "1e3", "x"]) {
    assert.throws(() => parseSelection([word], {}, NOW), UsageError, word);
  }
  assert.deepEqual(parseSelection(["7", "3", "7"], {}, NOW), { kind: "ids", ids: [3, 7] });
});

Deno.test("printable() lets nothing through that drives a terminal or turns its text", () => {
  assert.equal(
    printable("\u001b[2J\u0007\u009b31m\r\n"),
    "\\u001b[2J\\u0007\\u009b31m\\u000d\\u000a",
  );
  assert.equal(printable("a\u202eb\u2066\u2028"), "a\\u202eb\\u2066\\u2028");
  assert.equal(printable("María José Ñáñez 🌱"), "María José Ñáñez 🌱");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    assert.ok([...shortened(text, 10)].length <= 10);
    assert.deepEqual(JSON.parse(printableJson({ text })), { text: text.toWellFormed() });
  }));
});

Deno.test("bodyLines() shows JSON field by field, bytes as digits, and says what it cuts", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.deepEqual(bodyLines(bytes('{"a":1}'), 100), ["{", '  "a": 1', "}"]);
  assert.deepEqual(bodyLines(bytes("no\u001b es JSON"), 100), ["no\\u001b es JSON"]);
  assert.deepEqual(bodyLines(new Uint8Array([0, 255]), 100), ["00ff"]);
  assert.deepEqual(bodyLines(bytes("x".repeat(11)), 4), [
    "xxxx",
    "… (cut: 11 bytes in all, --full shows them)",
  ]);
});

Deno.test("inWords() writes a command line as it can be typed again", () => {
  assert.equal(
    inWords(["--group", "abcd", "--patch", '{"email":"a@b.mx"}']),
    '--group abcd --patch "{\\"email\\":\\"a@b.mx\\"}"',
  );
});

Deno.test("normalise() looks at no more of a message than a subscriber writes", () => {
  const word = "a ".repeat(600);
  assert.equal(normalise(`${word}${"x".repeat(60_000)}`), normalise(word.repeat(2)));
  assert.ok(normalise("x".repeat(60_000)).length <= 1_000);
});
