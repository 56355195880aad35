/** The PostgreSQL server that the tests of one file share. */
import { requirePostgres } from "@ecomarket/setup/postgres/require_postgres";
import { messageOf } from "@ecomarket/shared/base/errors";
import { printError } from "@ecomarket/shared/process/main";
import { startTestPostgres, type TestPostgres } from "@ecomarket/testbed/postgres/test_postgres";

/**
 * Why there can be no private PostgreSQL here, or nothing. Where there can be none, tests that need it
 * are left out, and this has said so and what to run: the embedded store needs no server.
 */
export const noPostgres: string | undefined = await requirePostgres({
  read: (name) => Deno.env.get(name),
  say: printError,
}).then(() => undefined, messageOf);
if (noPostgres) printError(`Left out: what needs PostgreSQL. ${noPostgres}`);

/** Defines a test that is left out where there can be no PostgreSQL. */
export function postgresTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: noPostgres !== undefined, fn });
}

/**
 * A server that starts before the first test of the calling file and ends after its last one.
 *
 * n.b. it is empty until then: only tests may read from it.
 */
export function postgresOfFile(settings: Readonly<Record<string, string>> = {}): TestPostgres {
  const server = {} as TestPostgres;
  if (noPostgres) return server;
  Deno.test.beforeAll(async () => void Object.assign(server, await startTestPostgres(settings)));
  Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());
  return server;
}
