/** A subscriber that rests, noted in its store for whoever looks from outside. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Why nothing is consumed, and since when. */
export interface Pause {
  /** What is away, such as `the mail server at 127.0.0.1:2525`. */
  readonly waitsFor: string;
  /** Why it could not be used when it was asked for last. */
  readonly reason: string;
  readonly since: Date;
  /** When it was asked for last. n.b. a killed process asks no more, and leaves its note behind. */
  readonly probedAt: Date;
}

/**
 * A note that was not renewed for so long, in milliseconds, is that of a process that is gone. n.b.
 * above what a live one takes from note to note: its longest wait, and a check that is not answered.
 */
export const PAUSE_OUTDATED_MS = 45_000;

/** One row while the subscriber rests, none else. Not a migration: stores of before have it, or not. */
const TABLE = `CREATE TABLE IF NOT EXISTS pauses (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1), waits_for TEXT NOT NULL, reason TEXT NOT NULL,
  since TEXT NOT NULL, probed_at TEXT NOT NULL
) STRICT`;

/** Makes the table where it is missing. */
export function createPauses(db: DatabaseSync): void {
  db.prepare(TABLE).run();
}

/** Replaces what is noted; `undefined` is no pause. */
export function writePause(
  statement: (sql: string) => StatementSync,
  pause: Pause | undefined,
): void {
  if (!pause) return void statement("DELETE FROM pauses").run();
  statement("INSERT OR REPLACE INTO pauses VALUES (1, ?, ?, ?, ?)").run(
    pause.waitsFor,
    pause.reason,
    pause.since.toISOString(),
    pause.probedAt.toISOString(),
  );
}

/** What is noted, if anything. */
export function readPause(db: DatabaseSync): Pause | undefined {
  const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'pauses'").get();
  const row = isThere && db.prepare("SELECT * FROM pauses").get();
  return row && pauseOfRow(row);
}

/** The pause that a row of `pauses` notes. */
export function pauseOfRow(row: Readonly<Record<string, unknown>>): Pause {
  return {
    waitsFor: String(row.waits_for),
    reason: String(row.reason),
    since: new Date(String(row.since)),
    probedAt: new Date(String(row.probed_at)),
  };
}
