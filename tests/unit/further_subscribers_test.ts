/** Which further subscribers get a user, and which would get a right on what is not theirs. */
import assert from "node:assert/strict";
import { UsageError } from "@ecomarket/shared/base/errors";
import { furtherSubscribers } from "../../setup/queues/further_subscribers.ts";

Deno.test("furtherSubscribers() reads each name and its queue", () => {
  assert.deepEqual(furtherSubscribers(["audit:audit_queue", "fraud:fraud.v2"]), {
    audit: "audit_queue",
    fraud: "fraud.v2",
  });
});

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  "no queue": ["audit"],
  "too many parts": ["audit:audit_queue:x"],
  "a name that is no file's": ["../audit:audit_queue"],
  "a queue that is a pattern": ["audit:.*"],
  "another role's name": ["email:audit_queue"],
  "a tool's name": ["monitor:audit_queue"],
  "another subscriber's queue": ["audit:email_queue"],
  "a queue in another's slice": ["audit:email_queue.retry"],
  "a queue in the archive's slice": ["audit:dead_letter_queue.parked"],
  "an exchange of events": ["audit:user_events"],
  "the dead letters": ["audit:dead_letters"],
  "the broker's own names": ["audit:amq.fanout"],
  "a queue in the slice of one before it": ["audit:audit", "fraud:audit.fraud"],
  "a queue in whose slice one before it is": ["fraud:audit.fraud", "audit:audit"],
};

for (const [what, texts] of Object.entries(REFUSED)) {
  Deno.test(`furtherSubscribers() refuses ${what}`, () => {
    assert.throws(() => furtherSubscribers(texts), UsageError);
  });
}
