/** What is told of a subscriber by its note and its queue. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { PAUSE_OUTDATED_MS, readPause } from "@ecomarket/shared/store/pauses";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import { subscriberState } from "@ecomarket/testbed/stores/pauses";
import { CHECK_TIMEOUT_MS, DEFAULT_PROBE_PACE } from "../../shared/subscriber/dependency_gate.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const probedAt = new Date("2026-11-24T18:00:00Z");
const pause = { waitsFor: "the mail server", reason: "caído", since: probedAt, probedAt };
const later = (ms: number) => new Date(probedAt.getTime() + ms);

Deno.test("subscriberState() tells a live pause from one that a killed process has left", () => {
  const live = subscriberState(pause, 0, later(PAUSE_OUTDATED_MS));
  assert.deepEqual(live, { state: "paused", ...pause });
  const left = subscriberState(pause, 0, later(PAUSE_OUTDATED_MS + 1));
  assert.deepEqual(left, { state: "was paused", ...pause });
});

Deno.test("subscriberState() believes the broker rather than a note", () => {
  assert.deepEqual(subscriberState(pause, 1, later(0)), { state: "consuming" });
  assert.deepEqual(subscriberState(undefined, 1, later(0)), { state: "consuming" });
  assert.deepEqual(subscriberState(undefined, 0, later(0)), { state: "not running" });
  assert.deepEqual(subscriberState(undefined, undefined, later(0)), { state: "unknown" });
  assert.equal(subscriberState(pause, undefined, later(0)).state, "paused");
});

Deno.test("a live pause is noted more often than a note is outdated", () => {
  assert.ok(DEFAULT_PROBE_PACE.maxMs + CHECK_TIMEOUT_MS < PAUSE_OUTDATED_MS);
});

Deno.test("SqliteStore.notePause() keeps the last note, until there is no pause", async () => {
  await using folder = await temporaryFolder();
  const owner = { subscriber: "test", queue: "test_queue" };
  await using store = SqliteStore.open(folder.path, owner, []);
  assert.equal(readStore(folder.path, readPause), undefined);
  await store.notePause(pause);
  await store.notePause({ ...pause, reason: "lleno", probedAt: later(1_000) });
  const noted = readStore(folder.path, readPause);
  assert.deepEqual(noted, { ...pause, reason: "lleno", probedAt: later(1_000) });
  await store.notePause(undefined);
  assert.equal(readStore(folder.path, readPause), undefined);
});

Deno.test("readPause() finds no pause in a store that is older than its table", () => {
  using db = new DatabaseSync(":memory:");
  assert.equal(readPause(db), undefined);
});
