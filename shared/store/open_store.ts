/** Where a subscriber's store is: a file of its own, or PostgreSQL, where `DATABASE_URL` names one. */
import { tryAgain } from "../base/backoff.ts";
import { messageOf, StoreRefusedError, StoreUnavailableError } from "../base/errors.ts";
import { databaseAddress, dataDir } from "../process/config.ts";
import type { Logger } from "../process/log.ts";
import { SqliteStore } from "./sqlite_store.ts";
import type { Store, StoreMigrations } from "./store.ts";
import type { StoreOwner } from "./store_owner.ts";

/** What is told while a server is waited for, and what ends the wait. */
export interface OpenStoreOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Opens the store of `owner`. A server that is away is waited for, as a broker is; a file that cannot
 * be opened is not.
 *
 * @throws {ConfigError} when `DATABASE_URL` is malformed.
 * @throws {StoreRefusedError} when the server does not let us in.
 * @throws {StoreUnavailableError} when the file cannot be opened.
 * @throws {StoreOwnerError} when the store belongs to another subscriber, or to another queue's.
 */
export async function openStore(
  owner: StoreOwner,
  migrations: StoreMigrations,
  { log, signal }: OpenStoreOptions,
): Promise<Store> {
  const address = databaseAddress();
  if (!address) return SqliteStore.open(dataDir(owner.subscriber), owner, migrations);
  // n.b. loaded only where it is used: a consumer that was killed is back sooner without it.
  const { PostgresStore } = await import("./postgres/postgres_store.ts");
  return await tryAgain(() => PostgresStore.open(address, owner, migrations), {
    isWorthIt: (error) =>
      error instanceof StoreUnavailableError && !(error instanceof StoreRefusedError),
    onFailure: (error) => log.warning("{reason}. Waiting for it", { reason: messageOf(error) }),
    signal,
  });
}
