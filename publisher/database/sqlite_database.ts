/** The {@link Database} in a file of one process. */
import type { StatementSync } from "node:sqlite";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { sqlFor } from "@ecomarket/shared/store/store";
import type { Database, Dialect, Row, Work } from "./database.ts";

type Parameters = (string | number | bigint | null)[];

/** Nothing is locked row by row: there is one writer at a time. */
const DIALECT: Dialect = { lockingRows: "", skippingLockedRows: "" };

/** `db` as a {@link Database}. Disposing of it commits what waits, then closes the file. */
export function sqliteDatabase(db: SqliteDatabase): Database {
  const run = <T>(work: Work<T>): T => runQueries((sql) => db.statement(sql), work);
  return {
    dialect: DIALECT,
    // deno-lint-ignore require-await -- the interface is asynchronous, SQLite is not
    read: async (what, work) => db.read(what, () => run(work)),
    commit: (work) => db.commit(() => run(work)),
    checkWritable: () => db.checkWritable(),
    // deno-lint-ignore require-await -- as above
    [Symbol.asyncDispose]: async () => db.close(),
  };
}

/** Runs `work` on the statements that `prepare` gives, at once. */
export function runQueries<T>(prepare: (sql: string) => StatementSync, work: Work<T>): T {
  const queries = work();
  let step = queries.next([]);
  while (!step.done) {
    const { sql, params } = step.value;
    let rows: readonly Row[];
    try {
      rows = prepare(sqlFor("sqlite", sql)).all(...params as Parameters);
    } catch (error) {
      step = queries.throw(error);
      continue;
    }
    step = queries.next(rows);
  }
  return step.value;
}
