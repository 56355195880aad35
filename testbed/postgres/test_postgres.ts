/**
 * A PostgreSQL server for one test: private, on a free port of the loopback, that a test may stop,
 * kill, start again and copy. It never outlives the test, however the test ends.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrivatePostgres } from "@ecomarket/setup/postgres/private_postgres";
import { requirePostgres } from "@ecomarket/setup/postgres/require_postgres";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { printError } from "@ecomarket/shared/process/main";
import { type Answer, PostgresConnection } from "@ecomarket/shared/store/postgres_connection";

const INSTALLATION = { read: (name: string) => Deno.env.get(name), say: printError };

/** A server that belongs to one test. Disposing it leaves no process, no port and no file. */
export interface TestPostgres extends AsyncDisposable {
  /** To stop, kill, start again, promote. */
  readonly server: PrivatePostgres;
  /** A database of its own, empty. @returns its URL, credentials included. */
  database(): Promise<string>;
  /** A standby of the server, not started. It goes with this. */
  standby(name: string): Promise<PrivatePostgres>;
}

/**
 * Starts a server and waits until it answers: some three seconds on a laptop.
 *
 * @param settings see {@link PrivatePostgres.start}
 * @throws {DatabaseSetupError} when PostgreSQL is not installed and cannot be: with what to run.
 */
export async function startTestPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> {
  await requirePostgres(INSTALLATION);
  const directory = await Deno.makeTempDir({ prefix: "ecomarket_test_postgres_" });
  await Deno.chmod(directory, 0o711); // n.b. the server may be another user's: it has to pass.
  const reaper = startReaper(directory);
  const dispose = () => reaper.release();
  try {
    const server = await PrivatePostgres.create(join(directory, "primary"));
    await server.start(settings);
    return {
      server,
      async database() {
        const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
        await runSql(server.urlOf(), `CREATE DATABASE ${name}`);
        return server.urlOf(name);
      },
      standby: (name) => PrivatePostgres.standbyOf(server, join(directory, name), name),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Runs statements without parameters in the database at `url`, each committed alone. */
export async function runSql(url: string, ...statements: readonly string[]): Promise<void> {
  await withConnection(url, async (connection) => {
    for (const sql of statements) await connection.run(sql);
  });
}

/** The rows that `sql` gives in the database at `url`, after `before`, which gives none. */
export async function queryRows(
  url: string,
  sql: string,
  before?: string,
): Promise<Answer["rows"]> {
  return await withConnection(url, async (connection) => {
    if (before) await connection.run(before);
    return (await connection.query(sql)).rows;
  });
}

async function withConnection<T>(
  url: string,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const address = parseDatabaseUrl(url);
  const options = { applicationName: "ecomarket test", answerTimeoutMs: 30_000 };
  const connection = await PostgresConnection.open(address, address.hosts[0]!, options);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** n.b. a Ctrl+C or a crash of the test run runs no `await using`: another process cleans up. */
function startReaper(directory: string): { release(): Promise<void> } {
  const reaper = fileURLToPath(new URL("./postgres_reaper.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", reaper, directory],
    stdin: "piped",
    stdout: "null",
    detached: true,
  }).spawn();
  return {
    release: async () => {
      await child.stdin.close();
      const { success } = await child.status;
      if (!success) throw new Error(`The test server in ${directory} could not be cleaned up`);
    },
  };
}
