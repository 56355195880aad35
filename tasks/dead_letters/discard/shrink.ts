/** Gives the disk back what discarded dead letters took. */
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";

/** Pages that are given back in one transaction: the consumer commits in between. */
const PAGES_AT_ONCE = 1_000;
/** SQLite's number for `auto_vacuum = INCREMENTAL`. */
const INCREMENTAL = 2;

/**
 * Shrinks the file of `db` to what is in it, a thousand pages at a time. @returns whether it could: a
 * file that was made without incremental vacuum keeps its size, and its free pages are used again.
 *
 * n.b. a `VACUUM` would mend such a file, but needs to attach another one, which Deno's sandbox does not
 * allow (2.9: "too many attached databases - max 0").
 */
export function shrink(db: SqliteDatabase): boolean {
  return db.read("Cannot shrink the archive", () => {
    const isPossible = number(db, "PRAGMA auto_vacuum") === INCREMENTAL;
    while (isPossible && number(db, "PRAGMA freelist_count") > 0) {
      run(db, `PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
    }
    // What was written meanwhile is in the WAL: it goes into the file, and the WAL is emptied.
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    return isPossible;
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
