/**
 * What was published since the page was opened, and where each event ended: exact whatever the number
 * of events, for it is a database in a file of its own, and only counts are held in memory.
 */
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Tally } from "../view/reconcile.ts";

/** A subscriber, and the exchanges of the events that it wants. */
export interface Wish {
  readonly name: string;
  readonly exchanges: readonly string[];
}

/** How often an event was found at a subscriber's places. */
export interface Mark {
  readonly effects: number;
  readonly letters: number;
}

/** Counts of one subscriber: see {@link Tally}. */
interface Counts {
  published: number;
  effects: number;
  deadLetters: number;
  readonly doubled: string[];
}

type Place = "effects" | "deadLetters" | undefined;

/** Ids that an account names at most. */
const NAMED = 20;

/** The ledger. Disposing of it deletes its file. */
export class Ledger implements AsyncDisposable {
  readonly #db: DatabaseSync;
  readonly #wishes: readonly Wish[];
  readonly #counts: ReadonlyMap<string, Counts>;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #mark: StatementSync;
  readonly #readMark: StatementSync;
  readonly #findAlias: StatementSync;
  #published = 0;
  #earlier = 0;

  private constructor(readonly directory: string, wishes: readonly Wish[]) {
    this.#wishes = wishes;
    this.#counts = new Map(
      wishes.map(({ name }) =>
        [name, { published: 0, effects: 0, deadLetters: 0, doubled: [] }] as const
      ),
    );
    this.#db = new DatabaseSync(join(directory, "ledger.sqlite"));
    // n.b. it is gone with the page, so nothing of it need survive a crash.
    this.#db.exec(`
      PRAGMA journal_mode = OFF;
      PRAGMA synchronous = OFF;
      PRAGMA cache_size = -16000;
      CREATE TABLE events (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, exchange TEXT NOT NULL) STRICT;
      CREATE TABLE marks (subscriber TEXT NOT NULL, event_id TEXT NOT NULL, effects INTEGER NOT NULL,
        letters INTEGER NOT NULL, PRIMARY KEY (subscriber, event_id)) WITHOUT ROWID, STRICT;
      CREATE TABLE aliases (alias TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID, STRICT;
      CREATE INDEX aliases_of ON aliases (id);
    `);
    this.#insert = this.#db.prepare(
      "INSERT INTO events (id, exchange) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
    this.#find = this.#db.prepare("SELECT exchange FROM events WHERE id = ?");
    this.#findAlias = this.#db.prepare("SELECT id FROM aliases WHERE alias = ?");
    this.#mark = this.#db.prepare(`
      INSERT INTO marks VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT DO UPDATE SET effects = effects + ?3, letters = letters + ?4
      RETURNING effects, letters`);
    this.#readMark = this.#db.prepare(
      "SELECT effects, letters FROM marks WHERE subscriber = ? AND event_id = ?",
    );
  }

  /** An empty ledger for these subscribers. */
  static async open(wishes: readonly Wish[]): Promise<Ledger> {
    return new Ledger(await Deno.makeTempDir({ prefix: "ecomarket_watch_" }), wishes);
  }

  /** Does all that `work` notes in one transaction. */
  batch(work: () => void): void {
    this.#db.exec("BEGIN");
    try {
      work();
    } finally {
      this.#db.exec("COMMIT");
    }
  }

  /** The names of its subscribers. */
  get subscribers(): readonly string[] {
    return this.#wishes.map(({ name }) => name);
  }

  /** Events that were noted as published. */
  get published(): number {
    return this.#published;
  }

  /** Effects of events that nobody was seen to publish. */
  get earlier(): number {
    return this.#earlier;
  }

  /**
   * Notes that the event `id` was published to `exchange`, and that others may call it `alias`.
   *
   * @returns whether that is new.
   */
  publish(id: string, exchange: string, alias?: string): boolean {
    if (alias !== undefined) this.#alias(id, alias);
    if (Number(this.#insert.run(id, exchange).changes) === 0) return false;
    this.#published++;
    for (const { name } of this.#wishesFor(exchange)) {
      this.#counts.get(name)!.published++;
      const mark = this.markOf(name, id);
      if (mark) this.#move(name, id, undefined, mark);
    }
    return true;
  }

  /** Notes an effect of the event `id` in the store of `subscriber`. */
  effect(subscriber: string, id: string): void {
    const { before } = this.#add(subscriber, id, 1, 0);
    if (before === 0 && this.#find.get(id) === undefined) this.#earlier++;
  }

  /** Notes that the event `id` was archived as a dead letter of `subscriber`. */
  letter(subscriber: string, id: string): void {
    this.#add(subscriber, id, 0, 1);
  }

  /** The event that is called `told`: by its own id, or by another one. */
  idOf(told: string): string {
    const row = this.#findAlias.get(told);
    return row ? String(row.id) : told;
  }

  /** All ids by which the event `id` is called. */
  namesOf(id: string): string[] {
    const rows = this.#db.prepare("SELECT alias FROM aliases WHERE id = ?").all(id);
    return [id, ...rows.map((row) => String(row.alias))];
  }

  /** Where the event `id` was found at `subscriber`. */
  markOf(subscriber: string, id: string): Mark | undefined {
    const row = this.#readMark.get(subscriber, id);
    return row && { effects: Number(row.effects), letters: Number(row.letters) };
  }

  /** The counts of `subscriber`, without {@link Tally.open}. */
  tally(subscriber: string): Tally {
    const { doubled, ...counts } = this.#counts.get(subscriber)!;
    return { ...counts, doubled: [...doubled], open: [] };
  }

  /** The ids of events that `subscriber` neither did nor gave up, the oldest first, {@link NAMED} at most. */
  openOf(subscriber: string): string[] {
    const { exchanges } = this.#wishes.find(({ name }) => name === subscriber)!;
    return this.#db.prepare(
      `SELECT id FROM events WHERE exchange IN (SELECT value FROM json_each(?)) AND NOT EXISTS
         (SELECT 1 FROM marks WHERE subscriber = ? AND event_id = events.id)
       ORDER BY n LIMIT ${NAMED}`,
    ).all(JSON.stringify(exchanges), subscriber).map((row) => String(row.id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#db.close();
    await Deno.remove(this.directory, { recursive: true });
  }

  /** n.b. its dead letter may have been told before it was seen. */
  #alias(id: string, alias: string): void {
    this.#db.prepare("INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO NOTHING").run(alias, id);
    for (const name of this.subscribers) {
      const mark = this.markOf(name, alias);
      if (!mark) continue;
      this.#db.prepare("DELETE FROM marks WHERE subscriber = ? AND event_id = ?").run(name, alias);
      this.#add(name, id, mark.effects, mark.letters);
    }
  }

  #wishesFor(exchange: string): Wish[] {
    return this.#wishes.filter(({ exchanges }) => exchanges.includes(exchange));
  }

  #add(subscriber: string, id: string, effects: number, letters: number): { before: number } {
    const row = this.#mark.get(subscriber, id, effects, letters)!;
    const after: Mark = { effects: Number(row.effects), letters: Number(row.letters) };
    const before: Mark = { effects: after.effects - effects, letters: after.letters - letters };
    if (this.#find.get(id) !== undefined) this.#move(subscriber, id, before, after);
    return { before: before.effects };
  }

  #move(subscriber: string, id: string, before: Mark | undefined, after: Mark): void {
    const counts = this.#counts.get(subscriber)!;
    const [from, to] = [placeOf(before), placeOf(after)];
    if (from) counts[from]--;
    if (to) counts[to]++;
    const becameDouble = after.effects > 1 && (before?.effects ?? 0) < 2;
    if (becameDouble && counts.doubled.length < NAMED) counts.doubled.push(id);
  }
}

/** n.b. one that was given up, sent back and done then, is done. */
function placeOf(mark: Mark | undefined): Place {
  if (!mark) return undefined;
  if (mark.effects > 0) return "effects";
  return mark.letters > 0 ? "deadLetters" : undefined;
}
