/** What the stores have got since the last look: effects and dead letters, each once, in order. */
import type { DatabaseSync } from "node:sqlite";
import { ARCHIVE } from "@ecomarket/shared/archive/tables";
import type { SubscriberName } from "@ecomarket/shared/contract/topology";
import { type DataDirOf, EFFECT_TABLES } from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";

/** Rows of one table that are read at once. */
const AT_ONCE = 5_000;

/** An archived dead letter, as far as anybody counts it. */
export interface NewLetter {
  readonly id: number;
  readonly messageId: string;
  readonly originQueue: string;
  readonly reason: string;
  readonly detail: string;
  readonly archivedAt: string;
  readonly type: string | undefined;
}

/** Reads the rows of one table that were added since, by their growing `id`. */
class TableTail {
  #position: number | undefined;
  /** All rows up to there: counted once, and then as they come. */
  count = 0;

  constructor(readonly table: string) {}

  /** n.b. the first look only finds where the table ends: what is older was before us. */
  next(db: DatabaseSync, columns: string): Record<string, unknown>[] {
    const end = Number(db.prepare(`SELECT ifnull(max(id), 0) AS n FROM ${this.table}`).get()?.n);
    // n.b. one that was made anew meanwhile has rows that look like those of before.
    if (this.#position === undefined || end < this.#position) {
      this.#position = end;
      this.count = Number(db.prepare(`SELECT count(*) AS n FROM ${this.table}`).get()?.n);
    }
    if (end === this.#position) return [];
    const rows = db.prepare(
      `SELECT id, ${columns} FROM ${this.table} WHERE id > ? ORDER BY id LIMIT ${AT_ONCE}`,
    ).all(this.#position);
    this.#position = Number(rows.at(-1)!.id);
    this.count += rows.length;
    return rows;
  }

  /** A table that is not there, or not any more: whatever will be in it is new. */
  beginEmpty(): void {
    this.#position = 0;
    this.count = 0;
  }
}

/** The effects of one subscriber. */
export class EffectTail {
  readonly #tables: readonly TableTail[];

  constructor(readonly subscriber: SubscriberName, readonly dataDirOf: DataDirOf) {
    this.#tables = EFFECT_TABLES[subscriber].map((table) => new TableTail(table));
  }

  /** All effects that are in the store, as far as it was read. */
  get stored(): number {
    return this.#tables.reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * The ids of the events that had their effect since the last call, each as often as it had one; not
   * all of them where there are many. The first call finds none.
   *
   * @throws {StoreUnavailableError} when the store cannot be read now: nothing is skipped then.
   */
  next(): string[] {
    const ids = readStore(
      this.dataDirOf(this.subscriber),
      (db) =>
        this.#tables.flatMap((tail) =>
          tail.next(db, "event_id").map((row) => String(row.event_id))
        ),
    );
    if (!ids) this.#tables.forEach((tail) => tail.beginEmpty());
    return ids ?? [];
  }
}

/** The archive's dead letters. */
export class LetterTail {
  readonly #tail = new TableTail("dead_letters");

  constructor(readonly dataDirOf: DataDirOf) {}

  /** As {@link EffectTail.next}. */
  next(): NewLetter[] {
    const rows = readStore(this.dataDirOf(ARCHIVE), (db) =>
      this.#tail.next(
        db,
        `message_id, origin_queue, reason, failure_message, archived_at,
         json_extract(properties, '$.type') AS type`,
      ));
    if (!rows) this.#tail.beginEmpty();
    return (rows ?? []).map((row) => ({
      id: Number(row.id),
      messageId: String(row.message_id),
      originQueue: String(row.origin_queue),
      reason: String(row.reason),
      detail: String(row.failure_message),
      archivedAt: String(row.archived_at),
      type: typeof row.type === "string" ? row.type : undefined,
    }));
  }
}
