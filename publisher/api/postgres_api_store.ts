/** The store of the users API in PostgreSQL, for any number of APIs and relays at once. */
import type { DatabaseAddress } from "@ecomarket/shared/process/database_url";
import { PostgresDatabase } from "@ecomarket/shared/store/postgres";
import { postgresDatabase } from "../database/postgres_database.ts";
import { PostgresOutbox, type PostgresOutboxOptions } from "../outbox/postgres_outbox.ts";
import { ANNOUNCED_TABLES, ApiStore, type ApiStoreOptions } from "./api_store.ts";
import { POSTGRES_API_MIGRATIONS } from "./postgres_tables.ts";

/** The schema that all tables of the users API are in. */
export const API_SCHEMA = "users_api";

/** Connections for requests, at most: more only wait for each other on the server. */
const REQUEST_CONNECTIONS = 8;
/** Connections for claims, one for each lane of the relay; see `EVENT_TYPES`. */
const CLAIM_CONNECTIONS = 4;

/** How such a store keeps and claims. */
export interface PostgresApiStoreOptions
  extends ApiStoreOptions, Pick<PostgresOutboxOptions, "claimTimeoutMs"> {}

/**
 * Opens the store in the schema {@link API_SCHEMA}, creating what is missing, also where many do so at
 * once.
 *
 * @throws {StoreRefusedError} when the server does not let us in, or not create the schema.
 * @throws {StoreUnavailableError} when that is not possible now.
 */
export async function openPostgresApiStore(
  address: DatabaseAddress,
  { claimTimeoutMs, ...options }: PostgresApiStoreOptions = {},
): Promise<ApiStore> {
  const requests = await PostgresDatabase.open(address, {
    name: API_SCHEMA,
    migrations: POSTGRES_API_MIGRATIONS,
    maxConnections: REQUEST_CONNECTIONS,
    applicationName: "ecomarket users-api",
  });
  const claims = PostgresDatabase.connect(address, {
    name: API_SCHEMA,
    maxConnections: CLAIM_CONNECTIONS,
    applicationName: "ecomarket users-api relay",
  });
  const db = postgresDatabase(requests);
  const outbox = new PostgresOutbox({
    db,
    claims,
    announcedTables: ANNOUNCED_TABLES,
    ...(claimTimeoutMs === undefined ? {} : { claimTimeoutMs }),
  });
  const closing = {
    ...db,
    async [Symbol.asyncDispose]() {
      await Promise.all([requests.close(), claims.close()]);
    },
  };
  return new ApiStore(closing, outbox, options);
}
