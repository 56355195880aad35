/**
 * What the subscribers' stores hold, read from outside. It trusts no inbox: the effects themselves
 * are counted.
 */
import type { DatabaseSync } from "node:sqlite";
import { ARCHIVE } from "@ecomarket/shared/archive/tables";
import { SUBSCRIBER_QUEUES, type SubscriberName } from "@ecomarket/shared/contract/topology";
import type { Counts, StoredHoldings } from "../audit/event_audit.ts";
import { readStore } from "./read_store.ts";

/** The workshop's subscribers, in the order in which they are shown. */
export const SUBSCRIBERS = Object.keys(SUBSCRIBER_QUEUES) as SubscriberName[];

/** The tables in which each subscriber's effects leave one row per event, with an `id` that grows and its `event_id`. */
export const EFFECT_TABLES: Readonly<Record<SubscriberName, readonly string[]>> = {
  email: ["sent_emails"],
  loyalty: ["points_ledger"],
  analytics: ["signups", "sales"],
};

/** Where whoever has a store keeps it, such as `data/email`. */
export type DataDirOf = (name: string) => string;

/** The effects and the dead letters of `subscriber`, for an audit. */
export function holdingsOf(
  subscriber: SubscriberName,
  dataDirOf: DataDirOf,
): StoredHoldings {
  return {
    effects: effectsByEvent(subscriber, dataDirOf),
    deadLetters: deadLettersByEvent(subscriber, dataDirOf),
  };
}

/** How many effects of `subscriber` are committed. A store that is not there yet holds none. */
export function countEffects(subscriber: SubscriberName, dataDirOf: DataDirOf): number {
  return count(dataDirOf(subscriber), effectsOf(subscriber).all);
}

/** How many dead letters are archived: copies of one replay count once, tombstones do not. */
export function countDeadLetters(dataDirOf: DataDirOf): number {
  return readStore(dataDirOf(ARCHIVE), (db) => {
    // n.b. an archive that no newer consumer has opened yet has no view.
    const table = db.prepare(
      `SELECT name FROM sqlite_schema WHERE name IN ('waiting_letters', 'dead_letters')
       ORDER BY name DESC`,
    ).get()?.name;
    return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  }) ?? 0;
}

/** How often each event had its effect on `subscriber`. */
export function effectsByEvent(
  subscriber: SubscriberName,
  dataDirOf: DataDirOf,
): Counts {
  const sql = `SELECT event_id AS id, count(*) AS n FROM ${effectsOf(subscriber).all} GROUP BY 1`;
  return readStore(dataDirOf(subscriber), (db) => byId(db, sql)) ?? new Map();
}

/** How often the event `id` had its effect on `subscriber`. */
export function effectsOfEvent(
  subscriber: SubscriberName,
  id: string,
  dataDirOf: DataDirOf,
): number {
  const sql = `SELECT count(*) AS n FROM ${effectsOf(subscriber)} WHERE event_id = ?`;
  return readStore(dataDirOf(subscriber), (db) => Number(db.prepare(sql).get(id)?.n)) ?? 0;
}

/** How often each event of the subscriber's queue was archived as a dead letter. */
export function deadLettersByEvent(
  subscriber: SubscriberName,
  dataDirOf: DataDirOf,
): Counts {
  const sql =
    `SELECT message_id AS id, count(*) AS n FROM dead_letters WHERE origin_queue = ? GROUP BY 1`;
  const queue = SUBSCRIBER_QUEUES[subscriber];
  return readStore(dataDirOf(ARCHIVE), (db) => byId(db, sql, queue)) ?? new Map();
}

/** Every effect of `subscriber`, to select from, and the first of the tables that they are in. */
export function effectsOf(subscriber: SubscriberName): { all: string; table: string } {
  const tables = EFFECT_TABLES[subscriber];
  const selects = tables.map((table) => `SELECT event_id FROM ${table}`);
  return { all: `(${selects.join(" UNION ALL ")})`, table: tables[0]! };
}

function byId(db: DatabaseSync, sql: string, ...params: string[]): Map<string, number> {
  return new Map(db.prepare(sql).all(...params).map((row) => [String(row.id), Number(row.n)]));
}

function count(directory: string, table: string): number {
  const sql = `SELECT count(*) AS n FROM ${table}`;
  return readStore(directory, (db) => Number(db.prepare(sql).get()?.n)) ?? 0;
}
