/**
 * What all stores hold, wherever they are: files below a data folder, or schemas of PostgreSQL. Read from
 * outside; it trusts no inbox: the effects themselves are counted.
 */
import { ARCHIVE } from "@ecomarket/shared/archive/tables";
import { SUBSCRIBER_QUEUES, type SubscriberName } from "@ecomarket/shared/contract/topology";
import type { DatabaseAddress } from "@ecomarket/shared/process/database_url";
import { type Pause, pauseOfRow } from "@ecomarket/shared/store/pauses";
import type { PostgresDatabase } from "@ecomarket/shared/store/postgres";
import type { Counts, StoredHoldings } from "../audit/event_audit.ts";
import { type DataDirOf, effectsOf, SUBSCRIBERS } from "./effects.ts";
import { readStore } from "./read_store.ts";

type Row = Readonly<Record<string, unknown>>;

/** A look into the stores. */
export interface StoresReader extends AsyncDisposable {
  /**
   * What `sql`, with a `?` for each parameter, finds in the store of `name`; `undefined` where there is no
   * such store, or no `table` in it.
   *
   * @throws {StoreUnavailableError} when what is there cannot be read.
   */
  rows(
    name: string,
    table: string,
    sql: string,
    ...params: readonly string[]
  ): Promise<readonly Row[] | undefined>;
}

/** The stores at `address`, or, where there is none, below the folders that `dataDirOf` names. */
export async function storesReader(
  dataDirOf: DataDirOf,
  address: DatabaseAddress | undefined,
): Promise<StoresReader> {
  return address ? await postgresReader(address) : sqliteReader(dataDirOf);
}

function sqliteReader(dataDirOf: DataDirOf): StoresReader {
  return {
    // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
    rows: async (name, table, sql, ...params) =>
      readStore(dataDirOf(name), (db) => {
        const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table);
        return isThere && db.prepare(sql).all(...params);
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function postgresReader(address: DatabaseAddress): Promise<StoresReader> {
  const { PostgresDatabase: Database } = await import("@ecomarket/shared/store/postgres");
  const databases = new Map<string, PostgresDatabase>();
  const databaseOf = (name: string) => {
    const known = databases.get(name);
    if (known) return known;
    const options = { name, maxConnections: 1, applicationName: "ecomarket look" };
    const database = Database.connect(address, options);
    databases.set(name, database);
    return database;
  };
  return {
    rows: (name, table, sql, ...params) =>
      databaseOf(name).transaction(`Cannot read the store of ${name}`, async (transaction) => {
        const found = await transaction.query("SELECT to_regclass(?) IS NOT NULL AS is_there", [
          table,
        ]);
        return found.rows[0]?.is_there ? (await transaction.query(sql, params)).rows : undefined;
      }, { isolation: "repeatable read" }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...databases.values()].map((database) => database.close()));
    },
  };
}

/** How many effects of `subscriber` are committed. A store that is not there yet holds none. */
export async function effectsIn(stores: StoresReader, subscriber: SubscriberName): Promise<number> {
  const { table, all } = effectsOf(subscriber);
  const rows = await stores.rows(subscriber, table, `SELECT count(*) AS n FROM ${all} AS effects`);
  return Number(rows?.[0]?.n ?? 0);
}

/** How many dead letters are archived: copies of one replay count once, tombstones do not. */
export async function deadLettersIn(stores: StoresReader): Promise<number> {
  // n.b. an archive that no newer consumer has opened yet has no view.
  for (const table of ["waiting_letters", "dead_letters"]) {
    const rows = await stores.rows(ARCHIVE, table, `SELECT count(*) AS n FROM ${table}`);
    if (rows) return Number(rows[0]?.n);
  }
  return 0;
}

/** What `subscriber` has noted of its rest, if it does; a killed process leaves its note behind. */
export async function pauseIn(
  stores: StoresReader,
  subscriber: string,
): Promise<Pause | undefined> {
  const [row] = await stores.rows(subscriber, "pauses", "SELECT * FROM pauses") ?? [];
  return row && pauseOfRow(row);
}

/** The effects and the dead letters of `subscriber`, for an audit. */
export async function holdingsIn(
  stores: StoresReader,
  subscriber: SubscriberName,
): Promise<StoredHoldings> {
  const { table, all } = effectsOf(subscriber);
  const effects = `SELECT event_id AS id, count(*) AS n FROM ${all} AS effects GROUP BY 1`;
  const letters =
    `SELECT message_id AS id, count(*) AS n FROM dead_letters WHERE origin_queue = ? GROUP BY 1`;
  const queue = SUBSCRIBER_QUEUES[subscriber];
  return {
    effects: counts(await stores.rows(subscriber, table, effects)),
    deadLetters: counts(await stores.rows(ARCHIVE, "dead_letters", letters, queue)),
  };
}

/** A value for each of the workshop's subscribers, by its name. */
export async function ofEachSubscriber<T>(
  value: (name: SubscriberName) => Promise<T>,
): Promise<Record<string, T>> {
  return Object.fromEntries(
    await Promise.all(SUBSCRIBERS.map(async (name) => [name, await value(name)] as const)),
  );
}

function counts(rows: readonly Row[] | undefined): Counts {
  return new Map((rows ?? []).map((row) => [String(row.id), Number(row.n)]));
}
