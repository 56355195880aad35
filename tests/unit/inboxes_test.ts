/** Asking the inboxes of subscribers from outside, whoever they are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { LocalInboxes } from "../../tasks/dead_letters/archive/inboxes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Makes the store of `queue` in `folder`, in which `eventIds` are done. */
async function storeOf(folder: string, queue: string, ...eventIds: string[]): Promise<void> {
  await using store = SqliteStore.open(folder, { subscriber: "audit", queue }, []);
  for (const id of eventIds) await store.commit(id, []);
}

Deno.test("LocalInboxes.has() finds the store of a queue by its owner, whatever its folder is called", async () => {
  await using folder = await temporaryFolder();
  await storeOf(join(folder.path, "un nombre cualquiera"), "audit_queue", "e-1");
  using inboxes = new LocalInboxes(folder.path);
  assert.equal(inboxes.has("audit_queue", "e-1"), true);
  assert.equal(inboxes.has("audit_queue", "e-2"), false);
  await storeOf(join(folder.path, "un nombre cualquiera"), "audit_queue", "e-2");
  assert.equal(inboxes.has("audit_queue", "e-2"), true, "done meanwhile");
});

Deno.test("LocalInboxes.has() does not know where no store of the queue can be read", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(join(folder.path, "roto"));
  await Deno.writeTextFile(join(folder.path, "roto", "store.sqlite"), "no es una base de datos");
  await Deno.mkdir(join(folder.path, "vacío"));
  await storeOf(join(folder.path, "email"), "email_queue");
  using inboxes = new LocalInboxes(folder.path);
  assert.equal(inboxes.has("loyalty_queue", "e-1"), undefined);
  assert.equal(inboxes.has("email_queue", "e-1"), false);
  using nowhere = new LocalInboxes(join(folder.path, "no existe"));
  assert.equal(nowhere.has("email_queue", "e-1"), undefined);
});

Deno.test("LocalInboxes.has() asks a copied folder as well as the one that lives", async () => {
  await using folder = await temporaryFolder();
  await storeOf(join(folder.path, "email"), "email_queue", "e-1");
  await storeOf(join(folder.path, "email.copia"), "email_queue");
  using inboxes = new LocalInboxes(folder.path);
  assert.equal(inboxes.has("email_queue", "e-1"), true);
});
