/**
 * What was decided about dead letters: each call is an operation, with an item for each dead letter,
 * committed before anything is done. It is what a killed call is finished by.
 */
import type { Body } from "@ecomarket/shared/contract/message";
import type { SqliteDatabase } from "@ecomarket/shared/store/sqlite";

/** What is done with each item of an operation. */
export interface OperationOptions {
  /** Messages per second; absent for as fast as possible. */
  readonly rate?: number | undefined;
  /** Merged into each body. */
  readonly patch?: Body | undefined;
  /** Whether what is sent is a new event. */
  readonly newId?: boolean | undefined;
  /** Whether what the broker gave up as deadly is sent as well. */
  readonly poison?: boolean | undefined;
}

/** One call. */
export interface Operation {
  readonly id: string;
  readonly kind: "replay" | "discard";
  readonly who: string;
  /** Empty where no reason was given. */
  readonly why: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** What was asked for, in words of the command line. */
  readonly selection: string;
  readonly options: OperationOptions;
  readonly abortedAt: string | undefined;
}

/**
 * | state       | what is known                                              |
 * | ----------- | ---------------------------------------------------------- |
 * | `pending`   | nothing was done yet                                       |
 * | `sending`   | it may have been sent: no confirm is noted                 |
 * | `sent`      | the broker has confirmed it                                |
 * | `refused`   | it cannot be sent, and why                                 |
 * | `skipped`   | it was left out, and why                                   |
 * | `discarded` | only its tombstone is left                                 |
 */
export type ItemState = "pending" | "sending" | "sent" | "refused" | "skipped" | "discarded";

/** What becomes of one dead letter in one operation. */
export interface Item {
  readonly operation: string;
  readonly letter: number;
  readonly state: ItemState;
  /** As what it is, or may have been, sent. */
  readonly eventId: string | undefined;
  /** Whether the event was in the inbox before it was sent; absent where that is not known. */
  readonly doneBefore: boolean | undefined;
  readonly sentAt: string | undefined;
  /** Why it was refused or skipped. */
  readonly detail: string | undefined;
}

/** What is noted of an item before it is sent. */
export interface SendNote {
  readonly letter: number;
  readonly eventId: string;
  readonly doneBefore: boolean | undefined;
}

/** What is noted of an item that nothing more is done with. */
export interface EndNote {
  readonly letter: number;
  readonly state: Exclude<ItemState, "pending" | "sending">;
  readonly detail?: string | undefined;
}

/** How many items are in each state. */
export type ItemCounts = Readonly<Record<ItemState, number>>;

/** The header `x-replay-id` of what is sent for an item. */
export function replayId({ operation, letter }: Pick<Item, "operation" | "letter">): string {
  return `${operation}/${letter}`;
}

/** A new operation's id: its time, so that a list is in order, and something that is its own. */
export function newOperationId(now: Date): string {
  const [date, time] = now.toISOString().replaceAll(/[-:]|\..*/g, "").split("T");
  return `${date}-${time}-${crypto.randomUUID().slice(0, 4)}`;
}

/** Reads and writes the operations of the archive `db`. Each method is one transaction. */
export class Operations {
  readonly #db: SqliteDatabase;

  constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /** Commits `operation`, all of its items pending. */
  async begin(
    operation: Omit<Operation, "abortedAt">,
    letters: readonly number[],
  ): Promise<void> {
    const { id, kind, who, why, startedAt, selection, options } = operation;
    await this.#db.commit(() => {
      this.#db.statement(
        `INSERT INTO operations (id, kind, who, why, started_at, selection, options)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ).run(id, kind, who, why, startedAt, selection, JSON.stringify(options));
      this.#db.statement(
        `INSERT INTO operation_items (operation, letter, state)
         SELECT ?, value, 'pending' FROM json_each(?)`,
      ).run(id, JSON.stringify(letters));
    });
  }

  /** The operation `id`, or the only one whose id ends with it. */
  find(id: string): Operation | undefined {
    const found = this.all().filter((operation) =>
      operation.id === id || operation.id.endsWith(id)
    );
    return found.length === 1 ? found[0] : undefined;
  }

  /** All operations, the newest last. */
  all(): Operation[] {
    return this.#read("SELECT * FROM operations ORDER BY started_at, id").map((row) => ({
      id: String(row.id),
      kind: row.kind as Operation["kind"],
      who: String(row.who),
      why: String(row.why),
      startedAt: String(row.started_at),
      selection: String(row.selection),
      options: JSON.parse(String(row.options)),
      abortedAt: row.aborted_at === null ? undefined : String(row.aborted_at),
    }));
  }

  counts(operation: string): ItemCounts {
    const sql = "SELECT state, count(*) AS n FROM operation_items WHERE operation = ? GROUP BY 1";
    const counts: Record<ItemState, number> = {
      pending: 0,
      sending: 0,
      sent: 0,
      refused: 0,
      skipped: 0,
      discarded: 0,
    };
    for (const row of this.#read(sql, operation)) counts[row.state as ItemState] = Number(row.n);
    return counts;
  }

  items(operation: string): Item[] {
    return this.#items("WHERE operation = ? ORDER BY letter", operation);
  }

  /** What was ever decided about the dead letter `letter`, the oldest first. */
  ofLetter(letter: number): Item[] {
    return this.#items("WHERE letter = ? ORDER BY operation", letter);
  }

  /** The queues in which the dead letters of `operation` failed. */
  origins(operation: string): string[] {
    return this.#read(
      `SELECT DISTINCT l.origin_queue AS queue FROM operation_items i
       JOIN dead_letters l ON l.id = i.letter WHERE i.operation = ?`,
      operation,
    ).map(({ queue }) => String(queue));
  }

  /** The dead letter for which `operation` has, or may have, sent `eventId` to `queue`. */
  sentAs(operation: string, eventId: string, queue: string): number | undefined {
    const [row] = this.#read(
      `SELECT i.letter FROM operation_items i JOIN dead_letters l ON l.id = i.letter
       WHERE i.operation = ? AND i.event_id = ? AND l.origin_queue = ?
         AND i.state IN ('sending', 'sent') ORDER BY i.letter LIMIT 1`,
      operation,
      eventId,
      queue,
    );
    return row && Number(row.letter);
  }

  /** The next `limit` items that are not at their end: first those that may have been sent. */
  next(operation: string, limit: number): Item[] {
    return this.#items(
      `WHERE operation = ? AND state IN ('pending', 'sending')
       ORDER BY state = 'pending', letter LIMIT ?`,
      operation,
      limit,
    );
  }

  /**
   * Notes, before anything is sent, what may have been sent from now on; and the end of what is not.
   * What was noted of an item at an earlier try stays.
   */
  async mark(
    operation: string,
    sends: readonly SendNote[],
    ends: readonly EndNote[],
    now: Date,
  ): Promise<void> {
    await this.#db.commit(() => {
      for (const { letter, eventId, doneBefore } of sends) {
        this.#db.statement(
          `UPDATE operation_items SET state = 'sending', event_id = ?, sent_at = ifnull(sent_at, ?),
             done_before = CASE state WHEN 'pending' THEN ? ELSE done_before END
           WHERE operation = ? AND letter = ?`,
        ).run(
          eventId,
          now.toISOString(),
          doneBefore === undefined ? null : Number(doneBefore),
          operation,
          letter,
        );
      }
      this.#end(operation, ends);
    });
  }

  /** Notes the end of items. */
  async end(operation: string, ends: readonly EndNote[]): Promise<void> {
    if (ends.length > 0) await this.#db.commit(() => this.#end(operation, ends));
  }

  /**
   * Makes tombstones of these dead letters, and of their copies: the body, the headers, and all that may
   * hold somebody's data are gone in the same transaction in which the items are noted as discarded.
   */
  async discard(operation: string, letters: readonly number[]): Promise<void> {
    await this.#db.commit(() => {
      this.#db.statement(
        `UPDATE dead_letters SET discarded_in = ?, body = x'', headers = '{}', properties = '{}',
           original_properties = NULL, failure_message = ''
         WHERE discarded_in IS NULL AND
           (id IN (SELECT value FROM json_each(?)) OR copy_of IN (SELECT value FROM json_each(?)))`,
      ).run(operation, JSON.stringify(letters), JSON.stringify(letters));
      this.#end(operation, letters.map((letter) => ({ letter, state: "discarded" })));
    });
  }

  /** Ends the operation: what is pending is skipped for good. What may have been sent stays so. */
  async abort(operation: string, detail: string, now: Date): Promise<void> {
    await this.#db.commit(() => {
      this.#db.statement("UPDATE operations SET aborted_at = ? WHERE id = ?")
        .run(now.toISOString(), operation);
      this.#db.statement(
        `UPDATE operation_items SET state = 'skipped', detail = ?
         WHERE operation = ? AND state = 'pending'`,
      ).run(detail, operation);
    });
  }

  #end(operation: string, ends: readonly EndNote[]): void {
    for (const { letter, state, detail = null } of ends) {
      this.#db.statement(
        "UPDATE operation_items SET state = ?, detail = ? WHERE operation = ? AND letter = ?",
      ).run(state, detail, operation, letter);
    }
  }

  #items(condition: string, ...params: (string | number)[]): Item[] {
    return this.#read(`SELECT * FROM operation_items ${condition}`, ...params).map((row) => ({
      operation: String(row.operation),
      letter: Number(row.letter),
      state: row.state as ItemState,
      eventId: row.event_id === null ? undefined : String(row.event_id),
      doneBefore: row.done_before === null ? undefined : Boolean(row.done_before),
      sentAt: row.sent_at === null ? undefined : String(row.sent_at),
      detail: row.detail === null ? undefined : String(row.detail),
    }));
  }

  #read(sql: string, ...params: (string | number)[]): Record<string, unknown>[] {
    return this.#db.read(
      "Cannot read the operations",
      () => this.#db.statement(sql).all(...params),
    );
  }
}
