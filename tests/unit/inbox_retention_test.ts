/** What is forgotten of an inbox, and what is not. */
import assert from "node:assert/strict";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { forgetBefore } from "../../shared/subscriber/inbox_retention.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const OWNER = { subscriber: "test", queue: "test_queue" };

Deno.test("forgetBefore() walks through an inbox of several parts", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, []);
  const ids = Array.from({ length: 2_500 }, (_, n) => `e-${n}`);
  await Promise.all(ids.map((id) => store.commit(id, [])));
  const { signal } = new AbortController();
  assert.equal(await forgetBefore(store, new Date(0), signal), 0);
  assert.equal(await store.has("e-0"), true);
  assert.equal(await forgetBefore(store, new Date(Date.now() + 1_000), signal), ids.length);
  assert.equal(await store.has("e-0"), false);
});

Deno.test("forgetBefore() ends with its signal", async () => {
  await using folder = await temporaryFolder();
  await using store = SqliteStore.open(folder.path, OWNER, []);
  await store.commit("e-1", []);
  assert.equal(await forgetBefore(store, new Date(Date.now() + 1_000), AbortSignal.abort()), 0);
  assert.equal(await store.has("e-1"), true);
});
