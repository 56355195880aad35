/** PostgreSQL, for the conformance suites and whatever is special to many processes on one database. */
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { queryRows } from "@ecomarket/testbed/postgres/test_postgres";
import type { ApiStore } from "../../publisher/api/api_store.ts";
import {
  API_SCHEMA,
  openPostgresApiStore,
  type PostgresApiStoreOptions,
} from "../../publisher/api/postgres_api_store.ts";
import type { StorePlace } from "./api_store.ts";

/** A database of its own, in which any number of stores may be opened at once. */
export interface PostgresPlace extends StorePlace {
  readonly url: string;
  open(options?: PostgresApiStoreOptions): Promise<ApiStore>;
}

/** The database at `url`, which is empty. It goes with its server. */
export function postgresPlace(url: string): PostgresPlace {
  return {
    url,
    open: (options) => openPostgresApiStore(parseDatabaseUrl(url), options),
    rows: (sql) => queryRows(url, inSchema(sql)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** n.b. this is no parser: it is enough for the suites' own queries. */
function inSchema(sql: string): string {
  return sql.replace(/\bFROM (\w+)/, `FROM ${API_SCHEMA}.$1`);
}
