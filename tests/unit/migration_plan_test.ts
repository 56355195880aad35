/** What a migration does next, wherever the last one was ended. */
import assert from "node:assert/strict";
import { fullTopology } from "@ecomarket/shared/contract/topology";
import {
  bindingsOf,
  holdsDeadLetters,
  planMigration,
  withoutQueues,
} from "../../setup/queues/migration_plan.ts";

Deno.test("planMigration() begins with an old queue, and finishes whatever is under way", () => {
  const plan = (queue: "missing" | "as wanted" | "otherwise", isUnderWay: boolean) =>
    planMigration({ queue, isUnderWay });
  assert.equal(plan("as wanted", false), "nothing");
  assert.equal(plan("missing", false), "nothing", "the declaration makes it");
  assert.equal(plan("otherwise", false), "replace");
  assert.equal(plan("otherwise", true), "replace", "ended before the old one was deleted");
  assert.equal(plan("missing", true), "finish", "ended before the new one was declared");
  assert.equal(plan("as wanted", true), "finish", "ended before all was brought back");
});

Deno.test("bindingsOf() joins what is wanted and what stands, but for the default exchange and the stand-in", () => {
  const topology = fullTopology([200]);
  const queue = topology.queues.find(({ name }) => name === "email_queue")!;
  const standing = [
    { exchange: "", routingKey: "email_queue" },
    { exchange: "email_queue.migrating", routingKey: "aside" },
    { exchange: "user_events", routingKey: "" },
    { exchange: "amq.topic", routingKey: "de.otros" },
  ];
  assert.deepEqual(bindingsOf(queue, topology, standing), [
    { exchange: "email_queue.retry", routingKey: "email_queue" },
    { exchange: "user_events", routingKey: "" },
    { exchange: "amq.topic", routingKey: "de.otros" },
  ]);
});

Deno.test("withoutQueues() leaves out the queues and their bindings, and keeps every exchange", () => {
  const topology = fullTopology([200]);
  const { exchanges, queues, bindings } = withoutQueues(topology, new Set(["email_queue"]));
  assert.deepEqual(exchanges, topology.exchanges);
  assert.ok(!queues.some(({ name }) => name === "email_queue"));
  assert.ok(!bindings.some(({ queue }) => queue === "email_queue"));
  assert.equal(queues.length, topology.queues.length - 1);
});

Deno.test("holdsDeadLetters() is true of the archive's slice alone", () => {
  assert.ok(holdsDeadLetters("dead_letter_queue"));
  assert.ok(holdsDeadLetters("dead_letter_queue.parked"));
  assert.ok(!holdsDeadLetters("email_queue.retry.5000"));
});
