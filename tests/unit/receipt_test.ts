import assert from "node:assert/strict";
import { auditRun } from "../../tasks/chaos/accounts/run_audit.ts";
import {
  isOk,
  jsonReceipt,
  markdownReceipt,
  type Run,
  textReceipt,
} from "../../tasks/chaos/receipt.ts";

const JOURNAL = [{ eventId: "a", fail: "", outcome: "confirmed", wasInDoubt: false }] as const;
const SEEN = { effects: new Map([["a", 1]]), deadLetters: new Map(), duplicateDeliveries: 3 };
const UNSEEN = { effects: new Map(), deadLetters: new Map(), duplicateDeliveries: 0 };

function run(more: Partial<Run> = {}): Run {
  return {
    command: "deno task chaos --seed 1",
    date: new Date("2026-11-24T00:00:00Z"),
    versions: { rabbitmq: "3.10.8", deno: "2.9.6" },
    machine: { os: "linux", arch: "x86_64", cores: 2 },
    seed: 1,
    events: 1,
    level: "robust",
    nodes: 1,
    elapsedMs: 61_000,
    audit: auditRun(JOURNAL, { email: SEEN }),
    faults: [
      { name: "link-cut", atMs: 1_500, proof: "5 connections | cut", recoveryMs: 250 },
      { name: "broker-kill", atMs: 9_000, proof: "pid 1 → 2", recoveryMs: 900 },
      { name: "kill-dead-letter", atMs: 20_000, proof: "pid 3 gone", recoveryMs: null },
    ],
    skipped: [],
    failures: [],
    memory: [{ role: "email", pid: 7, atMs: 1_000, bytes: 80 * 2 ** 20 }],
    ...more,
  };
}

Deno.test("isOk() holds only where nothing is lost, and every fault was proven and overcome", () => {
  assert.ok(isOk(run()));
  assert.ok(!isOk(run({ audit: auditRun(JOURNAL, { email: UNSEEN }) })));
  assert.ok(!isOk(run({ failures: ["the publisher was not done"] })));
  const leak = [0, 5, 10, 15, 20].map((minute) => ({
    role: "email",
    pid: 7,
    atMs: minute * 60_000,
    bytes: 2 ** 20 * (1 + minute),
  }));
  assert.ok(!isOk(run({ memory: leak })));
  assert.match(textReceipt(run({ memory: leak })), /✗ email: its memory grew/);
  const unproven = { name: "link-cut", atMs: 1, proof: "", recoveryMs: null, failure: "no link" };
  assert.ok(!isOk(run({ faults: [unproven] })));
});

Deno.test("jsonReceipt() is one object with the ledger and the faults", () => {
  const receipt = JSON.parse(jsonReceipt(run()));
  assert.equal(receipt.ok, true);
  assert.equal(receipt.seed, 1);
  assert.equal(receipt.events, 1);
  assert.deepEqual(receipt.ledger.subscribers.email, {
    delivered: 1,
    effects: 1,
    duplicateDeliveries: 3,
    duplicateEffects: 0,
    deadLettered: 0,
    lost: 0,
  });
  assert.deepEqual(receipt.faults[0], {
    name: "link-cut",
    atMs: 1_500,
    proof: "5 connections | cut",
    recoveryMs: 250,
  });
});

Deno.test("textReceipt() fits 80 columns, and names the events that are lost", () => {
  const text = textReceipt(run({ audit: auditRun(JOURNAL, { email: UNSEEN }) }));
  assert.match(text, /✗ email: 1 × lost: a/);
  assert.match(text, /✗ lost 1, duplicate effects 0; 3 of 3 faults proven/);
  for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
});

Deno.test("markdownReceipt() names its command, and gives the median and the worst recovery", () => {
  const text = markdownReceipt(run());
  assert.match(text, /Made by `deno task chaos --seed 1` on 2026-11-24/);
  assert.match(text, /\| 1\.5 \| link-cut \| 5 connections \\\| cut \| 250 \|/);
  assert.match(text, /\| email \| 0 \| 80 \| 80 \| 80 \| – \|/);
  assert.match(text, /median 250 ms, worst 900 ms\s+\(broker-kill\)/);
});

Deno.test("a receipt names what a promoted standby forgot, and counts it as lost", () => {
  const primary = { subscribers: { email: SEEN }, users: [] };
  const forgetful = run({
    replication: "asynchronous",
    audit: auditRun(JOURNAL, { email: UNSEEN }, undefined, primary),
  });
  assert.ok(isOk(forgetful));
  for (const text of [textReceipt(forgetful), markdownReceipt(forgetful)]) {
    assert.match(
      text,
      /lost 1 \(1 events or users forgotten by the promotion\), duplicate effects 0/,
    );
    assert.match(text, /email: 1 × lost: committed by the primary that died.*: a/);
  }
  assert.match(markdownReceipt(forgetful), /PostgreSQL with a standby \(asynchronous\)/);
  assert.deepEqual(JSON.parse(jsonReceipt(forgetful)).forgotten[0].ids, ["a"]);
});
