/**
 * What the publisher says of each event: that it will publish it, written before, and what became of
 * it, written after. The checker compares this with the stores; nothing else is believed.
 */
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { v5 as uuidV5 } from "uuid";
import type { PublishOutcome } from "@ecomarket/publisher/levels/publisher";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";

/** What is known of an event: a {@link PublishOutcome}, or `pending` until there is one. */
export type JournalOutcome = PublishOutcome["status"] | "pending";

/** One event of the run. */
export interface JournalEntry {
  readonly eventId: string;
  /** What the event asks of its subscribers, in the words of `--fail`; empty for most. */
  readonly fail: string;
  readonly outcome: JournalOutcome;
  /** Whether the publisher did not know, at some time, if the broker had it. */
  readonly wasInDoubt: boolean;
}

const NAMESPACE = "2c6c8f0e-9a3b-5d5e-8f3a-1f7a0f6f2b11";

/** The event number `n` of the run `seed`: always the same, so that a run can be told again. */
export function chaosEvent(seed: number, n: number): UsuarioCreado {
  const event = createUsuarioCreado({
    user_id: `chaos-${seed}-${n}`,
    nombre: `María José Ñáñez ${n}`,
    email: `mariajose${n}@example.com`,
  });
  return { ...event, event_id: uuidV5(`${seed}/${n}`, NAMESPACE) };
}

/** The journal's file in `directory`. */
export function journalPath(directory: string): string {
  return join(directory, "journal.sqlite");
}

/**
 * The publisher's side of the journal. Every write is in the file when the call returns: it outlives
 * a `kill -9` of the publisher, which is what it is for (not a loss of power).
 */
export class Journal implements Disposable {
  readonly #db: DatabaseSync;

  constructor(directory: string) {
    this.#db = new DatabaseSync(journalPath(directory));
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    this.#db.exec(
      `CREATE TABLE IF NOT EXISTS events (
         n INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, fail TEXT NOT NULL,
         outcome TEXT NOT NULL DEFAULT 'pending', in_doubt INTEGER NOT NULL DEFAULT 0
       ) STRICT`,
    );
  }

  /** The number of the next event. */
  get next(): number {
    return Number(this.#db.prepare("SELECT coalesce(max(n) + 1, 0) AS n FROM events").get()?.n);
  }

  /**
   * What an earlier process left without an answer. From now on it counts as in doubt: the broker may
   * have it, or not.
   */
  takeUnanswered(): { n: number; fail: string }[] {
    const unanswered = "outcome IN ('pending', 'ambiguous', 'nacked', 'unsent')";
    this.#db.exec(`UPDATE events SET in_doubt = 1 WHERE ${unanswered}`);
    return this.#db.prepare(`SELECT n, fail FROM events WHERE ${unanswered} ORDER BY n`).all()
      .map(({ n, fail }) => ({ n: Number(n), fail: String(fail) }));
  }

  /** Writes down that these events are about to be published. */
  attempt(events: readonly { n: number; eventId: string; fail: string }[]): void {
    const insert = this.#db.prepare("INSERT INTO events (n, event_id, fail) VALUES (?, ?, ?)");
    this.#transaction(() => events.forEach(({ n, eventId, fail }) => insert.run(n, eventId, fail)));
  }

  /** Writes down what became of these events. */
  settle(outcomes: readonly { n: number; outcome: JournalOutcome }[]): void {
    const update = this.#db.prepare(
      "UPDATE events SET outcome = ?, in_doubt = max(in_doubt, ? = 'ambiguous') WHERE n = ?",
    );
    this.#transaction(() => outcomes.forEach(({ n, outcome }) => update.run(outcome, outcome, n)));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    work();
    this.#db.exec("COMMIT");
  }
}

/** Reads a journal, also while it is being written. */
export function readJournal(directory: string): JournalEntry[] {
  const db = new DatabaseSync(journalPath(directory), { readOnly: true });
  try {
    return db.prepare("SELECT event_id, fail, outcome, in_doubt FROM events ORDER BY n").all()
      .map((row) => ({
        eventId: String(row.event_id),
        fail: String(row.fail),
        outcome: String(row.outcome) as JournalOutcome,
        wasInDoubt: Number(row.in_doubt) === 1,
      }));
  } finally {
    db.close();
  }
}
