/**
 * The archive of dead letters: one database, written by the dead-letter consumer and by whoever decides
 * what becomes of a dead letter. Its tables have one home, here, so that both may come first, and so
 * that a decision and its record are one transaction.
 */
import { DEAD_LETTER_QUEUE } from "../contract/topology.ts";
import type { OpenOptions, SqliteDatabase } from "../store/sqlite.ts";
import type { StoreMigrations } from "../store/store.ts";
import { openStoreDatabase } from "../store/sqlite_store.ts";

/** The name of the archive, also that of its data folder. */
export const ARCHIVE = "dead_letters";

/** The archive's tables. */
export const ARCHIVE_MIGRATIONS: StoreMigrations = [
  {
    sqlite: `CREATE TABLE dead_letters (
      id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, origin_queue TEXT NOT NULL,
      reason TEXT NOT NULL, failure_message TEXT NOT NULL, retries INTEGER NOT NULL,
      failed_at TEXT, archived_at TEXT NOT NULL, properties TEXT NOT NULL, headers TEXT NOT NULL,
      body BLOB NOT NULL
    ) STRICT`,
    postgres: `CREATE TABLE dead_letters (
      id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id TEXT NOT NULL,
      origin_queue TEXT NOT NULL, reason TEXT NOT NULL, failure_message TEXT NOT NULL,
      retries BIGINT NOT NULL, failed_at TEXT, archived_at TEXT NOT NULL,
      properties TEXT NOT NULL, headers TEXT NOT NULL, body BYTEA NOT NULL
    )`,
  },
  {
    sqlite: "CREATE INDEX dead_letters_message ON dead_letters (message_id)",
    // n.b. a message may call itself anything, and a B-tree of PostgreSQL takes no key over 2.7 kB.
    postgres: "CREATE INDEX dead_letters_message ON dead_letters USING hash (message_id)",
  },
  {
    sqlite: "ALTER TABLE dead_letters ADD COLUMN original_properties BLOB",
    postgres: "ALTER TABLE dead_letters ADD COLUMN original_properties BYTEA",
  },
  // The replay that sent the message, as its header says: to be believed where there is such an item.
  "ALTER TABLE dead_letters ADD COLUMN replay_id TEXT",
  {
    sqlite:
      "CREATE INDEX dead_letters_replay ON dead_letters (replay_id) WHERE replay_id IS NOT NULL",
    postgres: `CREATE INDEX dead_letters_replay ON dead_letters USING hash (replay_id)
      WHERE replay_id IS NOT NULL`,
  },
  // The first dead letter of the same replay: this one is of a second copy of the same message.
  {
    sqlite: "ALTER TABLE dead_letters ADD COLUMN copy_of INTEGER",
    postgres: "ALTER TABLE dead_letters ADD COLUMN copy_of BIGINT",
  },
  // A discarded row stays as a tombstone, without body and headers: its id is never another's.
  "ALTER TABLE dead_letters ADD COLUMN discarded_in TEXT",
  {
    sqlite: `CREATE TABLE operations (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('replay', 'discard')),
      who TEXT NOT NULL, why TEXT NOT NULL, started_at TEXT NOT NULL, selection TEXT NOT NULL,
      options TEXT NOT NULL, aborted_at TEXT
    ) STRICT`,
    postgres: `CREATE TABLE operations (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('replay', 'discard')),
      who TEXT NOT NULL, why TEXT NOT NULL, started_at TEXT NOT NULL, selection TEXT NOT NULL,
      options TEXT NOT NULL, aborted_at TEXT
    )`,
  },
  {
    sqlite: `CREATE TABLE operation_items (
      operation TEXT NOT NULL, letter INTEGER NOT NULL,
      state TEXT NOT NULL CHECK
        (state IN ('pending', 'sending', 'sent', 'refused', 'skipped', 'discarded')),
      event_id TEXT, done_before INTEGER, sent_at TEXT, detail TEXT,
      PRIMARY KEY (operation, letter)
    ) WITHOUT ROWID, STRICT`,
    postgres: `CREATE TABLE operation_items (
      operation TEXT NOT NULL, letter BIGINT NOT NULL,
      state TEXT NOT NULL CHECK
        (state IN ('pending', 'sending', 'sent', 'refused', 'skipped', 'discarded')),
      event_id TEXT, done_before INTEGER, sent_at TEXT, detail TEXT,
      PRIMARY KEY (operation, letter)
    )`,
  },
  "CREATE INDEX operation_items_letter ON operation_items (letter)",
  {
    sqlite: "CREATE INDEX operation_items_event ON operation_items (operation, event_id)",
    postgres: "CREATE INDEX operation_items_event ON operation_items USING hash (event_id)",
  },
  `CREATE VIEW waiting_letters AS
     SELECT * FROM dead_letters WHERE copy_of IS NULL AND discarded_in IS NULL`,
];

/**
 * Archives one dead letter: its `?` are the columns in this order, then `replay_id`, `message_id` and
 * `origin_queue` again. The second of one replay is kept as a copy of the first, which it can only be
 * if it is the same message from the same queue: a forged header hides nothing.
 */
export const ARCHIVE_LETTER: string =
  `INSERT INTO dead_letters (message_id, origin_queue, reason, failure_message, retries, failed_at,
     archived_at, properties, headers, body, original_properties, replay_id, copy_of)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
     (SELECT min(id) FROM dead_letters
      WHERE replay_id = ? AND message_id = ? AND origin_queue = ? AND copy_of IS NULL))`;

/**
 * The archive's database in `directory`, with all of its tables.
 *
 * @throws as `SqliteStore.open`.
 */
export function openArchive(directory: string, options: OpenOptions = {}): SqliteDatabase {
  const owner = { subscriber: ARCHIVE, queue: DEAD_LETTER_QUEUE };
  return openStoreDatabase(directory, owner, ARCHIVE_MIGRATIONS, options);
}
