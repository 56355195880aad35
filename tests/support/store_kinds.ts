/** The databases that a store may be in, for tests that are the same for each. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { PostgresStore } from "@ecomarket/shared/store/postgres_store";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Store, StoreMigrations } from "@ecomarket/shared/store/store";
import { queryRows, runSql, type TestPostgres } from "@ecomarket/testbed/postgres/test_postgres";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import type { StoreOwner } from "../../shared/store/store_owner.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { postgresOfFile, postgresTest } from "./postgres_of_file.ts";

/** A database that a store may be in. */
export interface StoreKind {
  readonly name: string;
  /** Defines a test that needs this kind. */
  readonly test: (title: string, fn: () => Promise<void>) => void;
  /** Somewhere without a store yet. */
  place(): Promise<StorePlace>;
}

/** Where the stores of a test are: each subscriber's apart from the others'. */
export interface StorePlace extends AsyncDisposable {
  open(owner: StoreOwner, migrations: StoreMigrations): Promise<Store>;
  /** What `sql` finds in the store of `owner`, by somebody who looks from outside. */
  rows(owner: StoreOwner, sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Lets nobody write to the store of `owner`, which is there, until it is disposed of. */
  outage(owner: StoreOwner): Promise<AsyncDisposable>;
}

/** SQLite, a folder for each subscriber. */
function sqlite(): StoreKind {
  return {
    name: "SQLite",
    test: (title, fn) => Deno.test(title, fn),
    async place() {
      const folder = await temporaryFolder();
      const directory = ({ subscriber }: StoreOwner) => join(folder.path, subscriber);
      return {
        // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
        open: async (owner, migrations) => SqliteStore.open(directory(owner), owner, migrations),
        // deno-lint-ignore require-await -- as above
        async rows(owner, sql) {
          using db = new DatabaseSync(join(directory(owner), DATABASE_FILE), { readOnly: true });
          return db.prepare(sql).all();
        },
        // deno-lint-ignore require-await -- as above
        async outage(owner) {
          const lock = lockStore(directory(owner));
          return {
            [Symbol.asyncDispose]: async () => await Promise.resolve(lock[Symbol.dispose]()),
          };
        },
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  };
}

/** PostgreSQL, a schema for each subscriber in a database for each test. */
function postgres(server: TestPostgres): StoreKind {
  return {
    name: "PostgreSQL",
    test: postgresTest,
    async place() {
      const url = await server.database();
      const name = new URL(url).pathname.slice(1);
      const administer = (...statements: string[]) => runSql(server.server.urlOf(), ...statements);
      return {
        open: (owner, migrations) => PostgresStore.open(parseDatabaseUrl(url), owner, migrations),
        rows: ({ subscriber }, sql) => queryRows(url, sql, `SET search_path TO "${subscriber}"`),
        async outage() {
          await administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`, terminate(name));
          const end = () => administer(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
          return { [Symbol.asyncDispose]: end };
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  };
}

/** Ends every connection to the database `name`. */
export function terminate(name: string): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`;
}

/** All kinds. A third one has to be listed here, and nowhere else. */
export function storeKinds(): readonly StoreKind[] {
  return [sqlite(), postgres(postgresOfFile())];
}
