/** The tables of the users API in PostgreSQL, as in `sqlite_tables.ts`, and for many processes at once. */

/** The migrations of the users API's store in PostgreSQL, in order. Append to them; never change one. */
export const POSTGRES_API_MIGRATIONS: readonly string[] = [
  // announced_at is empty exactly as long as the user's event is in the outbox; there is room in each
  // page for the row that sets it.
  `CREATE TABLE users (
     user_id TEXT PRIMARY KEY, nombre TEXT NOT NULL, email TEXT NOT NULL, created_at TEXT NOT NULL,
     event_id TEXT NOT NULL UNIQUE, announced_at TEXT
   ) WITH (fillfactor = 85)`,
  // n.b. ASCII alone is folded, as in SQLite, whatever the database's locale.
  `CREATE UNIQUE INDEX users_email ON users (lower(email COLLATE "C"))`,
  // `ordering_key` is whose events keep their order. Whatever was committed passes through this table:
  // a fifth of it would be a long time to wait for a vacuum.
  `CREATE TABLE outbox (
     position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id TEXT NOT NULL,
     event_type TEXT NOT NULL, ordering_key TEXT NOT NULL, event TEXT NOT NULL,
     appended_at_ms BIGINT NOT NULL, due_at TIMESTAMPTZ NOT NULL DEFAULT '-infinity'
   ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
  "CREATE INDEX outbox_type ON outbox (event_type, position)",
  "CREATE INDEX outbox_order ON outbox (event_type, ordering_key, position)",
  `CREATE TABLE idempotency_keys (
     key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, outcome TEXT NOT NULL,
     used_at_ms BIGINT NOT NULL
   )`,
  "CREATE INDEX idempotency_keys_used ON idempotency_keys (used_at_ms)",
  `CREATE TABLE purchases (
     purchase_id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (user_id),
     total BIGINT NOT NULL, currency TEXT NOT NULL, items TEXT NOT NULL, created_at TEXT NOT NULL,
     event_id TEXT NOT NULL UNIQUE, announced_at TEXT
   ) WITH (fillfactor = 85)`,
];
