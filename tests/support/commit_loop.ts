/**
 * Run by `sqlite_store_test.ts`, which kills it: commits groups of effects without end, and prints
 * the id of each one whose commit has resolved.
 */
import { SqliteStore } from "@ecomarket/shared/sqlite_store";

const [directory, migration] = Deno.args;
if (!directory || !migration) throw new Error("Usage: commit_loop.ts <folder> <migration>");

const GROUP = 50;
const store = SqliteStore.open(directory, [migration]);
const encoder = new TextEncoder();
for (;;) {
  await Promise.all(Array.from({ length: GROUP }, async () => {
    const id = crypto.randomUUID();
    // Two statements: a death between them would show.
    const insert = { sql: "INSERT INTO effects VALUES (?)", params: [id] };
    await store.commit(id, [insert, insert]);
    Deno.stdout.writeSync(encoder.encode(`${id}\n`));
  }));
}
