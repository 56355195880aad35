/** SQLite, for the conformance suites. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import { openSqliteApiStore } from "../../publisher/api/sqlite_api_store.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { StorePlace } from "./api_store.ts";

/** A folder of its own for one store. */
export async function newSqlitePlace(): Promise<StorePlace> {
  const folder = await temporaryFolder();
  return {
    // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
    open: async (options) => openSqliteApiStore(folder.path, options),
    // deno-lint-ignore require-await -- as above
    async rows(sql) {
      using db = new DatabaseSync(join(folder.path, DATABASE_FILE), { readOnly: true });
      return db.prepare(sql).all().map((row) => ({ ...row }));
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
