/** The workshop's Python scripts publish beside us: their messages have their effects, each once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import { analytics } from "../../consumers/analytics.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

/** What each script sends, and for whom it stands: the minimal one, levels 1 and 2, the users service. */
const SCRIPTS: readonly (readonly [user: string, fields: Readonly<Record<string, unknown>>])[] = [
  ["u-mínimo", { id: "u-mínimo", created_at: "2025-10-01T23:30:00" }],
  ["u-1", { user_id: "u-1", created_at: "2025-10-02T00:30:00" }],
  ["u-2", {
    user_id: "u-2",
    event_type: "UsuarioCreado",
    event_id: "0f0e7c3a-7a53-4f0b-9a52-5b1d2f6a3c11",
    timestamp: "2025-10-02T10:00:00.123456",
  }],
  ["42", { id: 42, event_type: "UsuarioCreado", timestamp: "2025-10-03T10:00:00Z" }],
];

const message = (user: string, fields: Readonly<Record<string, unknown>>) => ({
  ...fields,
  nombre: "Ana Ñandú",
  email: `u${user.length}@example.com`,
});

function rows(bench: Bench, name: string, sql: string): unknown[] | undefined {
  return readStore(
    join(bench.directory, name),
    (db) => db.prepare(sql).all().map((row) => Object.values(row)),
  );
}

Deno.test("what the workshop's Python scripts send has its effects on every subscriber, sent twice or not", async () => {
  await using bench = await Bench.open(broker);
  await using _email = bench.run(emailConsumer(simulatedMailer));
  await using _loyalty = bench.run(loyalty);
  await using _analytics = bench.run(analytics);
  // n.b. three of them name no id: it comes from the body, so that the second copy is recognised.
  for (const [user, fields] of [...SCRIPTS, ...SCRIPTS]) {
    bench.publishRaw(message(user, fields), { deliveryMode: 2, headers: { "x-retries": 0 } });
  }
  const users = SCRIPTS.map(([user]) => user).sort();
  await eventually(async () => {
    for (const queue of ["email_queue", "loyalty_queue", "analytics_queue"]) {
      assert.equal(await bench.depth(queue), 0, queue);
    }
    assert.deepEqual(
      rows(bench, "loyalty", "SELECT user_id, points FROM accounts ORDER BY 1"),
      users.map((user) => [user, 100]),
    );
    assert.deepEqual(
      rows(bench, "analytics", "SELECT day, signups FROM signups_per_day ORDER BY 1"),
      [["2025-10-01", 1], ["2025-10-02", 2], ["2025-10-03", 1]],
      "a time without a zone is UTC",
    );
    assert.deepEqual(
      rows(bench, "email", "SELECT recipient FROM sent_emails ORDER BY 1"),
      SCRIPTS.map(([user]) => [`u${user.length}@example.com`]).sort(),
    );
  });
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});
