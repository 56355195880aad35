/** When a backlog is worth a warning, and that it is told once. */
import assert from "node:assert/strict";
import type { Logger } from "@ecomarket/shared/process/log";
import { BacklogWatch, isWithinBounds } from "../../publisher/outbox/backlog.ts";

const BOUNDS = { maxEvents: 10, maxAgeMs: 1_000 };

Deno.test("isWithinBounds() lets both bounds be reached, and neither be crossed", () => {
  const isWithin = (events: number, oldestAgeMs: number) =>
    isWithinBounds({ events, oldestAgeMs }, BOUNDS);
  assert.equal(isWithin(0, 0), true);
  assert.equal(isWithin(10, 1_000), true);
  assert.equal(isWithin(11, 0), false);
  assert.equal(isWithin(1, 1_001), false);
});

Deno.test("BacklogWatch warns once when a bound is crossed, and tells once when it is back", () => {
  const said: string[] = [];
  const log = {
    warning: (text: string) => said.push(`warning: ${text}`),
    info: (text: string) => said.push(`info: ${text}`),
  } as unknown as Logger;
  const watch = new BacklogWatch(BOUNDS, log);
  for (const events of [0, 10, 11, 500, 11, 3, 0, 12]) watch.see({ events, oldestAgeMs: 0 });
  assert.deepEqual(said.map((text) => text.split(":")[0]), ["warning", "info", "warning"]);
  assert.match(said[0]!, /Nothing is lost.*setup-queues --check/);
});
