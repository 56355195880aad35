/** Single questions to the stores, for a person who looks at one event or at the dead letters. */
import { ARCHIVE } from "@ecomarket/shared/archive/tables";
import { SUBSCRIBER_QUEUES, type SubscriberName } from "@ecomarket/shared/contract/topology";
import { type DataDirOf, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { LetterRow } from "../view/view.ts";

/** Dead letters that a page lists. */
const LETTERS_LISTED = 30;

/** Bytes of a body that is read for whom its event is about. */
const MAX_READ = 10_000;
/** Characters of a name. */
const LABEL_SHOWN = 80;

/** When `subscriber` committed the event `id`. */
export function committedAt(
  subscriber: SubscriberName,
  id: string,
  dataDirOf: DataDirOf,
): number | undefined {
  return readStore(dataDirOf(subscriber), (db) => {
    const row = db.prepare("SELECT processed_at FROM inbox WHERE event_id = ?").get(id);
    return row && Date.parse(String(row.processed_at));
  });
}

/** The dead letters that wait for a decision, the newest first; not all where there are many. */
export function waitingLetters(dataDirOf: DataDirOf): LetterRow[] {
  const rows = readStore(dataDirOf(ARCHIVE), (db) =>
    db.prepare(
      `SELECT l.id, l.message_id, l.origin_queue, l.reason, l.failure_message, l.archived_at,
         EXISTS (SELECT 1 FROM operation_items i
           WHERE i.letter = l.id AND i.state IN ('sending', 'sent')) AS is_replayed,
         CASE WHEN length(body) < ${MAX_READ} AND json_valid(CAST(body AS TEXT))
           THEN json_extract(CAST(body AS TEXT), '$.nombre') END AS nombre
       FROM waiting_letters l ORDER BY l.id DESC LIMIT ${LETTERS_LISTED}`,
    ).all()) ?? [];
  const newer = new Set<string>();
  return rows.map((row): LetterRow => {
    const [eventId, queue] = [String(row.message_id), String(row.origin_queue)];
    const key = `${queue} ${eventId}`;
    const sentBack = newer.has(key)
      ? "died-again"
      : isDone(queue, eventId, dataDirOf)
      ? "done"
      : "replayed";
    newer.add(key);
    return {
      id: Number(row.id),
      eventId,
      label: typeof row.nombre === "string" ? row.nombre.slice(0, LABEL_SHOWN) : "",
      queue,
      reason: String(row.reason),
      detail: String(row.failure_message),
      at: Date.parse(String(row.archived_at)),
      state: row.is_replayed ? sentBack : "waiting",
    };
  });
}

/** An archived dead letter of one event, with what only a person wants to see. */
export interface ArchivedLetter {
  readonly queue: string;
  readonly at: number;
  readonly reason: string;
  readonly detail: string;
  readonly retries: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** When it was sent back, each time. */
  readonly replayedAt: readonly number[];
}

/** All dead letters of the event that is called by one of `ids`. */
export function lettersOf(ids: readonly string[], dataDirOf: DataDirOf): ArchivedLetter[] {
  return readStore(dataDirOf(ARCHIVE), (db) => {
    const sent = db.prepare(
      "SELECT sent_at FROM operation_items WHERE letter = ? AND sent_at NOT NULL",
    );
    return db.prepare(
      "SELECT * FROM dead_letters WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT 20",
    ).all(JSON.stringify(ids)).map((row) => ({
      queue: String(row.origin_queue),
      at: Date.parse(String(row.archived_at)),
      reason: String(row.reason),
      detail: String(row.failure_message),
      retries: Number(row.retries),
      headers: JSON.parse(String(row.headers)),
      body: new TextDecoder().decode(row.body as Uint8Array),
      replayedAt: sent.all(Number(row.id)).map((item) => Date.parse(String(item.sent_at))),
    }));
  }) ?? [];
}

/** The subscriber of `queue`, where it is one of the workshop's. */
export function subscriberOf(queue: string): SubscriberName | undefined {
  return SUBSCRIBERS.find((name) => SUBSCRIBER_QUEUES[name] === queue);
}

function isDone(queue: string, id: string, dataDirOf: DataDirOf): boolean {
  const subscriber = subscriberOf(queue);
  return subscriber !== undefined && committedAt(subscriber, id, dataDirOf) !== undefined;
}
