/** The dead letters of the archive, as they are read. */
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import type { Filterable } from "../letters/filter.ts";

/** A dead letter, without what may be large in it. */
export interface Letter extends Filterable {
  readonly id: number;
  readonly messageId: string;
  readonly failedAt: string | undefined;
  readonly retries: number;
  /** Bytes of its body, its headers and its properties. */
  readonly bytes: number;
}

/** All that the archive has of a dead letter. */
export interface FullLetter extends Letter {
  /** By amqplib's names, in JSON. */
  readonly properties: string;
  readonly headers: string;
  readonly body: Uint8Array;
  readonly originalProperties: Uint8Array | undefined;
  /** The replay that sent it, as its header says. */
  readonly replayId: string | undefined;
  /** The dead letter of another copy of the same replayed message. */
  readonly copyOf: number | undefined;
  /** The operation that discarded it: its body and headers are gone. */
  readonly discardedIn: string | undefined;
}

/** The failure that a replay ended with. */
export interface NewFailure {
  readonly letter: number;
  readonly reason: string;
  readonly message: string;
}

/** Whether it was, or may have been, sent back. */
const IS_REPLAYED = `EXISTS (SELECT 1 FROM operation_items i
  WHERE i.letter = l.id AND i.state IN ('sending', 'sent'))`;

const SUMMARY = `l.id, l.message_id, l.origin_queue, l.reason, l.failure_message, l.retries,
  l.failed_at, l.archived_at, ${IS_REPLAYED} AS is_replayed,
  length(l.body) + length(l.headers) + length(l.properties) +
    ifnull(length(l.original_properties), 0) AS bytes`;

/** Reads the dead letters of the archive `db`. */
export class Letters {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /**
   * Those that `isMeant`, the oldest first: neither copies nor tombstones.
   *
   * @throws {StoreUnavailableError} when the archive cannot tell now.
   */
  waiting(isMeant: (letter: Letter) => boolean): Letter[] {
    return this.#select(`SELECT ${SUMMARY} FROM waiting_letters l ORDER BY l.id`, isMeant);
  }

  /** As {@link waiting}, and copies as well: whatever has a body. */
  withBodies(isMeant: (letter: Letter) => boolean): Letter[] {
    const sql = `SELECT ${SUMMARY} FROM dead_letters l WHERE discarded_in IS NULL ORDER BY l.id`;
    return this.#select(sql, isMeant);
  }

  /** The queues whose messages are, or were, in the archive, in order. */
  origins(): string[] {
    const sql = "SELECT DISTINCT origin_queue FROM dead_letters ORDER BY 1";
    return this.#db.read(
      "Cannot read the dead letters",
      () => this.#db.statement(sql).all().map((row) => String(row.origin_queue)),
    );
  }

  /** The dead letter `id`, also a copy or a tombstone. */
  find(id: number): FullLetter | undefined {
    return this.#db.read("Cannot read the dead letters", () => {
      const row = this.#db.statement(`SELECT *, ${SUMMARY} FROM dead_letters l WHERE l.id = ?`)
        .get(id);
      return row && {
        ...letterOf(row),
        properties: String(row.properties),
        headers: String(row.headers),
        body: row.body as Uint8Array,
        originalProperties: (row.original_properties as Uint8Array | null) ?? undefined,
        replayId: row.replay_id === null ? undefined : String(row.replay_id),
        copyOf: row.copy_of === null ? undefined : Number(row.copy_of),
        discardedIn: row.discarded_in === null ? undefined : String(row.discarded_in),
      };
    });
  }

  /** The ids of the copies of the dead letter `id`. */
  copiesOf(id: number): number[] {
    return this.#db.read(
      "Cannot read the dead letters",
      () =>
        this.#db.statement("SELECT id FROM dead_letters WHERE copy_of = ? ORDER BY id").all(id)
          .map((row) => Number(row.id)),
    );
  }

  /**
   * The dead letter that the replay `replayId` to `queue` ended as, of a message with one of these ids.
   * n.b. a header alone is believed by nobody: whoever publishes can write it.
   */
  ofReplay(replayId: string, messageIds: readonly string[], queue: string): NewFailure | undefined {
    return this.#db.read("Cannot read the dead letters", () => {
      const row = this.#db.statement(
        `SELECT id, reason, failure_message FROM dead_letters
         WHERE replay_id = ? AND message_id IN (SELECT value FROM json_each(?))
           AND origin_queue = ? AND copy_of IS NULL`,
      ).get(replayId, JSON.stringify(messageIds), queue);
      return row && {
        letter: Number(row.id),
        reason: String(row.reason),
        message: String(row.failure_message),
      };
    });
  }

  #select(sql: string, isMeant: (letter: Letter) => boolean): Letter[] {
    return this.#db.read("Cannot read the dead letters", () => {
      const found: Letter[] = [];
      for (const row of this.#db.statement(sql).iterate()) {
        const letter = letterOf(row);
        if (isMeant(letter)) found.push(letter);
      }
      return found;
    });
  }
}

function letterOf(row: Record<string, unknown>): Letter {
  return {
    id: Number(row.id),
    messageId: String(row.message_id),
    originQueue: String(row.origin_queue),
    reason: String(row.reason),
    failureMessage: String(row.failure_message),
    retries: Number(row.retries),
    failedAt: row.failed_at === null ? undefined : String(row.failed_at),
    archivedAt: String(row.archived_at),
    isReplayed: Boolean(row.is_replayed),
    bytes: Number(row.bytes),
  };
}
