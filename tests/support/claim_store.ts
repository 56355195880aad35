/** Run by `sqlite_store_test.ts`: opens a store as the subscriber of a queue, and ends with 2 if refused. */
import { StoreOwnerError } from "@ecomarket/shared/base/errors";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";

const [directory, queue] = Deno.args;
if (!directory || !queue) throw new Error("Usage: claim_store.ts <folder> <queue>");
try {
  await SqliteStore.open(directory, { subscriber: "test", queue }, []).close();
} catch (error) {
  if (!(error instanceof StoreOwnerError)) throw error;
  Deno.exit(error.exitCode);
}
