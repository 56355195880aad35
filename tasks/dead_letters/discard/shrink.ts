/** Gives the disk back what discarded dead letters took. */
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";

/** Pages that are given back in one transaction: the consumer commits in between. */
const PAGES_AT_ONCE = 1_000;
/** SQLite's number for `auto_vacuum = INCREMENTAL`. */
const INCREMENTAL = 2;

/**
 * Shrinks the file of `db` to what is in it. The first time the whole database is written anew, and the
 * consumer waits for that long; from then on free pages are given back a thousand at a time.
 *
 * n.b. a database that was made without incremental vacuum learns it by a full one only
 * (https://www.sqlite.org/pragma.html#pragma_auto_vacuum).
 */
export function shrink(db: SqliteDatabase): void {
  db.read("Cannot shrink the archive", () => {
    if (number(db, "PRAGMA auto_vacuum") !== INCREMENTAL) {
      run(db, `PRAGMA auto_vacuum = ${INCREMENTAL}`);
      run(db, "VACUUM");
    }
    while (number(db, "PRAGMA freelist_count") > 0) {
      const before = number(db, "PRAGMA freelist_count");
      run(db, `PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
      if (number(db, "PRAGMA freelist_count") >= before) break;
    }
    // What was written meanwhile is in the WAL: it goes into the file, and the WAL is emptied.
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  });
}

/** What is discarded from now on is overwritten with zeros, and not only forgotten. */
export function overwriteWhatIsDiscarded(db: SqliteDatabase): void {
  run(db, "PRAGMA secure_delete = ON");
}

/** n.b. `all()`: a pragma may do its work row by row. */
function run(db: SqliteDatabase, sql: string): void {
  db.statement(sql).all();
}

function number(db: SqliteDatabase, sql: string): number {
  return Number(Object.values(db.statement(sql).get() ?? {})[0]);
}
