/**
 * What the subscribers' stores hold, read from outside. It trusts no inbox: the effects themselves
 * are counted.
 */
import type { DatabaseSync } from "node:sqlite";
import { SUBSCRIBER_QUEUES, type SubscriberName } from "@ecomarket/shared/contract/topology";
import { openForReading } from "@ecomarket/shared/store/sqlite";

/** The workshop's subscribers, in the order in which they are shown. */
export const SUBSCRIBERS = Object.keys(SUBSCRIBER_QUEUES) as SubscriberName[];

/** The tables in which each subscriber's effects leave one row per event, with its `event_id`. */
const EFFECT_TABLES: Readonly<Record<SubscriberName, readonly string[]>> = {
  email: ["sent_emails"],
  loyalty: ["points_ledger"],
  analytics: ["signups", "sales"],
};

/** Where a subscriber or the archive keeps its data. */
export type DataDirOf = (name: SubscriberName | "dead_letters") => string;

/** How many effects of `subscriber` are committed. A store that is not there yet holds none. */
export function countEffects(subscriber: SubscriberName, dataDirOf: DataDirOf): number {
  return count(dataDirOf(subscriber), effectsOf(subscriber));
}

/** How many dead letters are archived. */
export function countDeadLetters(dataDirOf: DataDirOf): number {
  return count(dataDirOf("dead_letters"), "dead_letters");
}

/** How often each event had its effect on `subscriber`. */
export function effectsByEvent(
  subscriber: SubscriberName,
  dataDirOf: DataDirOf,
): ReadonlyMap<string, number> {
  const sql = `SELECT event_id AS id, count(*) AS n FROM ${effectsOf(subscriber)} GROUP BY 1`;
  return read(dataDirOf(subscriber), new Map(), (db) => byId(db, sql));
}

/** How often each event of the subscriber's queue was archived as a dead letter. */
export function deadLettersByEvent(
  subscriber: SubscriberName,
  dataDirOf: DataDirOf,
): ReadonlyMap<string, number> {
  const sql =
    `SELECT message_id AS id, count(*) AS n FROM dead_letters WHERE origin_queue = ? GROUP BY 1`;
  return read(
    dataDirOf("dead_letters"),
    new Map(),
    (db) => byId(db, sql, SUBSCRIBER_QUEUES[subscriber]),
  );
}

/** Every effect of `subscriber`, to select from. */
function effectsOf(subscriber: SubscriberName): string {
  const selects = EFFECT_TABLES[subscriber].map((table) => `SELECT event_id FROM ${table}`);
  return `(${selects.join(" UNION ALL ")})`;
}

function byId(db: DatabaseSync, sql: string, ...params: string[]): Map<string, number> {
  return new Map(db.prepare(sql).all(...params).map((row) => [String(row.id), Number(row.n)]));
}

function count(directory: string, table: string): number {
  return read(
    directory,
    0,
    (db) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n),
  );
}

function read<T>(directory: string, whenMissing: T, query: (db: DatabaseSync) => T): T {
  const db = openForReading(directory);
  if (!db) return whenMissing;
  try {
    return query(db);
  } finally {
    db.close();
  }
}
