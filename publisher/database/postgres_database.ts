/**
 * The {@link Database} on a PostgreSQL server, for any number of processes. Each piece of work is a
 * transaction of its own, READ COMMITTED: those that come at once share the server's fsync.
 */
import type { PostgresDatabase, Transaction } from "@ecomarket/shared/store/postgres";
import { sqlFor } from "@ecomarket/shared/store/store";
import type { Database, Dialect, Work } from "./database.ts";

const DIALECT: Dialect = {
  lockingRows: " FOR NO KEY UPDATE",
  skippingLockedRows: " FOR UPDATE SKIP LOCKED",
};

/** `db` as a {@link Database}. Disposing of it closes its connections. */
export function postgresDatabase(db: PostgresDatabase): Database {
  return {
    dialect: DIALECT,
    read: (what, work) => db.transaction(what, (transaction) => run(transaction, work)),
    commit: (work) => db.transaction("Cannot commit", (transaction) => run(transaction, work)),
    checkWritable: () => db.checkWritable(),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

async function run<T>(transaction: Transaction, work: Work<T>): Promise<T> {
  const queries = work();
  let step = queries.next([]);
  while (!step.done) {
    const { sql, params } = step.value;
    const { rows } = await transaction.query(sqlFor("postgres", sql), params);
    step = queries.next(rows);
  }
  return step.value;
}
