/** Started by `testbed/postgres/test_postgres.ts`: once its standard input ends, nothing of the servers is left. */
import { removeServer } from "@ecomarket/setup/postgres/private_postgres";

const [directory] = Deno.args;
if (!directory) throw new Error("Usage: postgres_reaper.ts <folder of the servers>");

await Deno.stdin.readable.pipeTo(new WritableStream());
for await (const { name } of Deno.readDir(directory)) await removeServer(`${directory}/${name}`);
await Deno.remove(directory, { recursive: true });
