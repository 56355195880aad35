/** Which database the users API keeps its store in: PostgreSQL where one is named, else a file. */
import type { DatabaseAddress } from "@ecomarket/shared/process/database_url";
import type { ApiStore, ApiStoreOptions } from "./api_store.ts";
import { openSqliteApiStore } from "./sqlite_api_store.ts";

/** Where the store is. */
export interface ApiStorePlace {
  /** Of the file; not used where there is an `address`. */
  readonly directory: string;
  readonly address?: DatabaseAddress | undefined;
}

/**
 * Opens the store, creating what is missing.
 *
 * @throws {StoreInUseError} when another process has the file.
 * @throws {StoreUnavailableError} when that is not possible now.
 */
export async function openApiStore(
  { directory, address }: ApiStorePlace,
  options: ApiStoreOptions = {},
): Promise<ApiStore> {
  if (!address) return openSqliteApiStore(directory, options);
  // n.b. loaded where it is used alone: who has no PostgreSQL loads no client for it.
  const { openPostgresApiStore } = await import("./postgres_api_store.ts");
  return await openPostgresApiStore(address, options);
}
