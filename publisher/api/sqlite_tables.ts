/**
 * The tables of the users API in SQLite: users, their purchases, the events that still have to leave, and the
 * answers to requests that may be repeated. One file, so that one transaction writes all of it.
 */
import type { Migrations } from "@ecomarket/shared/store/sqlite";

/** The migrations of the users API's store in SQLite, in order. Append to them; never change one. */
export const SQLITE_API_MIGRATIONS: Migrations = [
  // n.b. NOCASE folds ASCII alone, and the contract's email addresses are ASCII.
  // announced_at is empty exactly as long as the user's event is in the outbox.
  `CREATE TABLE users (
     user_id TEXT PRIMARY KEY, nombre TEXT NOT NULL, email TEXT NOT NULL UNIQUE COLLATE NOCASE,
     created_at TEXT NOT NULL, event_id TEXT NOT NULL UNIQUE, announced_at TEXT
   ) WITHOUT ROWID, STRICT`,
  // n.b. AUTOINCREMENT: a position that was confirmed and deleted is never given to another event.
  `CREATE TABLE outbox (
     position INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE,
     event TEXT NOT NULL, appended_at_ms INTEGER NOT NULL
   ) STRICT`,
  `CREATE TABLE idempotency_keys (
     key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, outcome TEXT NOT NULL,
     used_at_ms INTEGER NOT NULL
   ) WITHOUT ROWID, STRICT`,
  "CREATE INDEX idempotency_keys_used ON idempotency_keys (used_at_ms)",
  "CREATE TABLE write_checks (id INTEGER PRIMARY KEY, checked_at TEXT NOT NULL) STRICT",
  // announced_at: as for users. `items` is JSON, as the event has it.
  `CREATE TABLE purchases (
     purchase_id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (user_id),
     total INTEGER NOT NULL, currency TEXT NOT NULL, items TEXT NOT NULL,
     created_at TEXT NOT NULL, event_id TEXT NOT NULL UNIQUE, announced_at TEXT
   ) WITHOUT ROWID, STRICT`,
  // What waits from before there were purchases tells of users.
  "ALTER TABLE outbox ADD COLUMN event_type TEXT NOT NULL DEFAULT 'UsuarioCreado'",
  "CREATE INDEX outbox_type ON outbox (event_type, position)",
];
