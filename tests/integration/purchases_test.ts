/** Purchases from end to end: who hears of them and what follows, from the command and from the API. */
import assert from "node:assert/strict";
import { openForReading } from "@ecomarket/shared/store/sqlite";
import { join } from "node:path";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, startAllConsumers } from "../support/roles.ts";
import {
  assertReadiness,
  buy,
  outboxIds,
  READY,
  registerAll,
  startApi,
} from "../support/users_api.ts";

const broker = brokerOfFile();

/** The one row that `sql` finds in the store of `name`. */
function row(bench: Bench, name: string, sql: string): Record<string, unknown> {
  const db = openForReading(join(bench.directory, name));
  assert.ok(db, `${name} has a store`);
  try {
    return { ...db.prepare(sql).get() };
  } finally {
    db.close();
  }
}

Deno.test("a purchase that is published has its effects on loyalty and analytics, once, and none on email", async () => {
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  const flags = "--user-id u-1 --total 1299 --currency MXN --item cafe:2".split(" ");
  const { code, stderr } = await runDeno([
    "run",
    "-q",
    "-P=publisher",
    "publisher/publish/publish.ts",
    ...["--event", "CompraRealizada", ...flags],
  ], { AMQP_URL: bench.amqpUrl });
  assert.equal(code, 0, stderr);
  const points = "SELECT user_id, points, reason FROM points_ledger";
  await eventually(() => {
    assert.deepEqual(row(bench, "loyalty", points), {
      user_id: "u-1",
      points: 12,
      reason: "purchase",
    });
    assert.deepEqual(row(bench, "analytics", "SELECT currency, sales, total FROM sales_per_day"), {
      currency: "MXN",
      sales: 1,
      total: 1299,
    });
  });
  assertEffects(bench, "email", []);
  for (const queue of ["email_queue", "dead_letter_queue"]) {
    assert.equal(await bench.depth(queue), 0, queue);
  }
});

Deno.test("users-api announces a purchase to loyalty and analytics, and a user to email as well", async () => {
  await using bench = await Bench.open(broker);
  await startAllConsumers(bench);
  await using api = await startApi(bench);
  const users = await registerAll(api, 3);
  const purchases = await Promise.all(
    [users[0]!, users[0]!, users[1]!].map((user) => buy(api, user)),
  );
  const [purchase] = purchases;
  assert.deepEqual((await api.get(`/purchases/${purchase!.purchase_id}`)).body, purchase);
  await eventually(() => {
    assertEffects(bench, "email", users);
    assertEffects(bench, "loyalty", [...users, ...purchases]);
    assertEffects(bench, "analytics", [...users, ...purchases]);
  });
  const { points } = row(
    bench,
    "loyalty",
    `SELECT points FROM accounts WHERE user_id = '${users[0]!.user_id}'`,
  );
  assert.equal(points, 100 + 2 * 12);
  await eventually(() => assertReadiness(api, READY));
  assert.deepEqual(
    row(bench, "users", "SELECT count(*) AS n FROM purchases WHERE announced_at IS NOT NULL"),
    { n: 3 },
  );
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});

Deno.test("users-api publishes a purchase after kill -9, and users meanwhile though its exchange is missing", async () => {
  await using bench = await Bench.open(broker);
  // n.b. without its exchange nothing can leave before the kill: what comes later comes from the disk.
  await bench.channel.deleteExchange("purchase_events");
  const key = { "Idempotency-Key": "k-1" };
  let user, first;
  {
    await using api = await startApi(bench);
    [user] = await registerAll(api, 1);
    first = await buy(api, user!, key);
    await eventually(async () => {
      const { body } = await api.get("/readyz");
      const { problem } = body.relay as { problem: string };
      assert.match(problem, /"purchase_events" does not exist\. Run: deno task setup-queues/);
      assert.deepEqual(outboxIds(bench), [first.event_id]);
    });
    assert.equal((await api.process.kill()).signal, "SIGKILL");
  }
  assert.deepEqual(outboxIds(bench), [first.event_id]);
  assert.equal((await bench.only("loyalty_queue")).properties.messageId, user!.event_id);

  await bench.channel.assertExchange("purchase_events", "fanout", { durable: true });
  await bench.channel.bindQueue("loyalty_queue", "purchase_events", "");
  await using api = await startApi(bench);
  assert.deepEqual(await buy(api, user!, key), first);
  await eventually(() => assertReadiness(api, READY));
  assert.equal((await bench.only("loyalty_queue")).properties.messageId, first.event_id);
  const later = await buy(api, user!);
  await eventually(() => assert.deepEqual(outboxIds(bench), []));
  assert.equal((await bench.only("loyalty_queue")).properties.messageId, later.event_id);
});
