/** Where the roles of a run keep what they have done: files, or a PostgreSQL that belongs to the run. */
import { join } from "node:path";
import { API_SCHEMA } from "@ecomarket/publisher/api/postgres_api_store";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { type StoresReader, storesReader } from "@ecomarket/testbed/stores/stores_reader";
import { USERS_FOLDER } from "../accounts/api_books.ts";
import type { LostPrimary } from "../accounts/lost_primary.ts";
import {
  type PostgresServers,
  type Replication,
  startPostgresServers,
} from "./postgres_servers.ts";

/** Which stores a run has. */
export type StoreKind = "sqlite" | "postgres";
/** All of them. */
export const STORE_KINDS: readonly StoreKind[] = ["sqlite", "postgres"];

/** See the head of this file. */
export interface RunStores extends AsyncDisposable {
  readonly kind: StoreKind;
  /** How many of each consumer run. */
  readonly instances: 1 | 2;
  /** What the store of the users API is called. */
  readonly usersStore: string;
  /** What the roles are told. */
  readonly env: Readonly<Record<string, string>>;
  readonly reader: StoresReader;
  /** The servers, where the stores are on PostgreSQL. */
  readonly postgres?: PostgresServers;
  /** What a primary held that died, where its standby followed asynchronously. */
  lostPrimary?: LostPrimary;
}

/** A file for each role, below `directory`. */
export async function sqliteStores(directory: string): Promise<RunStores> {
  const reader = await storesReader((name) => join(directory, name), undefined);
  return {
    kind: "sqlite",
    instances: 1,
    usersStore: USERS_FOLDER,
    env: {},
    reader,
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

/** Schemas of a database of its own, with a standby, that two of each role share. */
export async function postgresStores(replication: Replication): Promise<RunStores> {
  await using cleanup = new AsyncDisposableStack();
  const postgres = cleanup.use(await startPostgresServers(replication));
  const reader = cleanup.use(await storesReader(() => "", parseDatabaseUrl(postgres.url)));
  const owned = cleanup.move();
  return {
    kind: "postgres",
    instances: 2,
    usersStore: API_SCHEMA,
    env: { DATABASE_URL: postgres.url },
    reader,
    postgres,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
