/**
 * Run by `sqlite_store_test.ts`, which kills it: commits groups of effects without end, and prints
 * the ids of each group whose commits have resolved.
 */
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";

const [directory, migration] = Deno.args;
if (!directory || !migration) throw new Error("Usage: commit_loop.ts <folder> <migration>");

const GROUP = 200;
const store = SqliteStore.open(directory, { subscriber: "test", queue: "test_queue" }, [migration]);
const encoder = new TextEncoder();
let committed: readonly string[] = [];

function printCommitted(): void {
  Deno.stdout.writeSync(encoder.encode(committed.map((id) => `${id}\n`).join("")));
}

for (;;) {
  const ids = Array.from({ length: GROUP }, () => crypto.randomUUID());
  // n.b. set before the store's own timer, this one fires right before the next group is written:
  // whoever kills this process on reading it does so in the middle of that.
  setTimeout(printCommitted, 0);
  await Promise.all(ids.map((id) => {
    // Two statements: a death between them would show.
    const insert = { sql: "INSERT INTO effects VALUES (?)", params: [id] };
    return store.commit(id, [insert, insert]);
  }));
  committed = ids;
}
