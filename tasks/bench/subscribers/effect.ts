/** The effect that every subscriber of the bench has: one row, as `consumers/analytics.ts` writes it. */
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { openStoreDatabase } from "@ecomarket/shared/store/sqlite_store";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { sqlFor, type Statement } from "@ecomarket/shared/store/store";

/** The tables that it writes to. */
export const MIGRATIONS = [
  "CREATE TABLE signups (id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, day TEXT NOT NULL, domain TEXT NOT NULL) STRICT",
  "CREATE INDEX signups_day ON signups (day)",
  "CREATE INDEX signups_domain ON signups (domain)",
];

/** The statement for `event`. */
export function signupRow({ event_id, timestamp, email }: UsuarioCreado): Statement {
  return {
    sql: "INSERT INTO signups (event_id, day, domain) VALUES (?, ?, ?)",
    params: [event_id, timestamp.slice(0, 10), email.slice(email.lastIndexOf("@") + 1)],
  };
}

/** The same file with the same settings as the loop's store, for who writes SQL by hand. */
export function openByHand(folder: string, queue: string): SqliteDatabase {
  return openStoreDatabase(folder, { subscriber: "bench", queue }, MIGRATIONS);
}

/** Writes the inbox row and the effect of `event`, unless it was done before, in whatever transaction is open. */
export function writeByHand(db: SqliteDatabase, event: UsuarioCreado): void {
  const { changes } = db.statement(
    "INSERT INTO inbox (event_id, processed_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
  ).run(event.event_id, new Date().toISOString());
  if (Number(changes) === 0) return;
  const { sql, params } = signupRow(event);
  db.statement(sqlFor("sqlite", sql)).run(...params as string[]);
}
