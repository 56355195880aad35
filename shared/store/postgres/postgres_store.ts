/** The {@link Store} that several machines share: a schema of PostgreSQL for each subscriber. */
import { type DatabaseAddress, showDatabase } from "../../process/database_url.ts";
import type { Pause } from "../pauses.ts";
import type { Effect, Forgotten, SqlValue, Store, StoreMigrations } from "../store.ts";
import { sqlFor } from "../store.ts";
import { requireOwner, type StoreOwner } from "../store_owner.ts";
import { Batches } from "./batches.ts";
import type { PoolOptions } from "./connection_pool.ts";
import { PostgresDatabase, type Transaction } from "./postgres.ts";
import { faultOf } from "./postgres_errors.ts";

/** Commits that share one transaction, and ids that are asked for together, at most. */
const MAX_GROUP = 500;

/** n.b. `COLLATE "C"`: ids are compared byte by byte, which is faster, and no sort order changes it. */
const INBOX = `CREATE TABLE inbox (
  event_id TEXT COLLATE "C" PRIMARY KEY, processed_at TIMESTAMPTZ NOT NULL)`;

/** What a store's own tables are beside the inbox: see `store_owner.ts` and `pauses.ts`. */
const BESIDE: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS store_owner (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     subscriber TEXT NOT NULL, queue TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS pauses (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), waits_for TEXT NOT NULL,
     reason TEXT NOT NULL, since TEXT NOT NULL, probed_at TEXT NOT NULL)`,
];

/**
 * Commits of one subscriber are done one group after the other, whichever instance they come from: so a
 * statement sees all that was committed before, as in SQLite, and nobody who writes a handler needs to
 * think of isolation.
 */
const ONE_GROUP = { alone: "commits" };

type Outcome = { readonly result: "committed" | "duplicate" } | { readonly error: unknown };

interface Commit {
  readonly id: string;
  readonly effect: Effect;
  settle(outcome: Outcome): void;
}

interface Question {
  readonly id: string;
  readonly resolve: (isThere: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** A subscriber's tables and its inbox in a schema of its name. See {@link PostgresDatabase}. */
export class PostgresStore implements Store {
  readonly #db: PostgresDatabase;
  readonly #commits = new Batches<Commit>(MAX_GROUP, (group) => this.#commitAll(group));
  readonly #questions = new Batches<Question>(MAX_GROUP, (group) => this.#answerAll(group));

  private constructor(db: PostgresDatabase) {
    this.#db = db;
  }

  /**
   * Opens the store of `owner`, creating the schema and the tables where they are missing.
   *
   * @throws {StoreRefusedError} when the server does not let us in, or not create the schema.
   * @throws {StoreUnavailableError} when that is not possible now.
   * @throws {StoreOwnerError} when it belongs to another subscriber, or to another queue's.
   */
  static async open(
    address: DatabaseAddress,
    owner: StoreOwner,
    migrations: StoreMigrations,
    options: Partial<PoolOptions> = {},
  ): Promise<PostgresStore> {
    return new PostgresStore(await openStoreDatabase(address, owner, migrations, options));
  }

  has(eventId: string): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#questions.add({ id: storable(eventId), resolve, reject });
    return promise;
  }

  commit(eventId: string, effect: Effect): Promise<"committed" | "duplicate"> {
    const { promise, resolve, reject } = Promise.withResolvers<"committed" | "duplicate">();
    const settle = (outcome: Outcome) =>
      "error" in outcome ? reject(outcome.error) : resolve(outcome.result);
    this.#commits.add({ id: storable(eventId), effect, settle });
    return promise;
  }

  checkWritable(): Promise<void> {
    return this.#db.checkWritable();
  }

  async notePause(pause: Pause | undefined): Promise<void> {
    const table = `${this.#db.schema}.pauses`;
    if (!pause) return void await this.#db.query("Cannot write", `DELETE FROM ${table}`);
    const { waitsFor, reason, since, probedAt } = pause;
    await this.#db.query(
      "Cannot write",
      `INSERT INTO ${table} VALUES (1, ?, ?, ?, ?) ON CONFLICT (only_row) DO UPDATE SET
         waits_for = excluded.waits_for, reason = excluded.reason, since = excluded.since,
         probed_at = excluded.probed_at`,
      [waitsFor, reason, since.toISOString(), probedAt.toISOString()].map(storable),
    );
  }

  async forget(before: Date, position: string, limit: number): Promise<Forgotten> {
    const inbox = `${this.#db.schema}.inbox`;
    const { rows: [part] } = await this.#db.query(
      "Cannot write",
      `WITH part AS (
         SELECT event_id, processed_at FROM ${inbox} WHERE event_id > ? ORDER BY event_id LIMIT ?
       ), gone AS (
         DELETE FROM ${inbox} USING part
         WHERE inbox.event_id = part.event_id AND part.processed_at < ?::text::timestamptz RETURNING 1
       )
       SELECT count(*) AS seen, max(event_id) AS last, (SELECT count(*) FROM gone) AS removed FROM part`,
      [position, limit, before.toISOString()],
    );
    return { removed: part!.removed, next: part!.seen < limit ? undefined : part!.last };
  }

  async close(): Promise<void> {
    await this.#commits.done();
    await this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answerAll(group: readonly Question[]): Promise<void> {
    try {
      const ids = textArray(group.map(({ id }) => id));
      const sql = `SELECT event_id FROM ${this.#db.schema}.inbox WHERE event_id = ANY(?::text[])`;
      const { rows } = await this.#db.query("Cannot read the inbox", sql, [ids]);
      const found = new Set(rows.map((row) => row.event_id));
      for (const { id, resolve } of group) resolve(found.has(id));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  async #commitAll(group: readonly Commit[]): Promise<void> {
    try {
      const outcomes = await this.#outcomes(group);
      for (const [index, { settle }] of group.entries()) settle(outcomes[index]!);
    } catch (error) {
      for (const { settle } of group) settle({ error });
    }
  }

  /** n.b. a failure among many is rare: whose it is, is found out only then. */
  async #outcomes(group: readonly Commit[]): Promise<readonly Outcome[]> {
    const inOne = (work: (transaction: Transaction) => Promise<readonly Outcome[]>) =>
      this.#db.transaction("Cannot commit", work, ONE_GROUP);
    try {
      return await inOne((transaction) => commitTogether(transaction, group));
    } catch (error) {
      if (faultOf(error) !== "statement") throw error;
    }
    return await inOne((transaction) => commitSingly(transaction, group));
  }
}

/**
 * The database below the store of `owner`, with the same tables: for who works with a subscriber's data
 * beside the subscriber.
 *
 * @throws as {@link PostgresStore.open}.
 */
export async function openStoreDatabase(
  address: DatabaseAddress,
  owner: StoreOwner,
  migrations: StoreMigrations,
  options: Partial<PoolOptions> = {},
): Promise<PostgresDatabase> {
  const { subscriber, queue } = owner;
  return await PostgresDatabase.open(address, {
    ...options,
    name: subscriber,
    migrations: [INBOX, ...migrations.map((sql) => sqlFor("postgres", sql))],
    async admit(transaction) {
      for (const sql of BESIDE) await transaction.query(sql);
      const { rows: [known] } = await transaction.query(
        "SELECT subscriber, queue FROM store_owner",
      );
      const place = `the schema "${subscriber}" of ${showDatabase(address)}`;
      if (known) return requireOwner(known, owner, place);
      await transaction.query("INSERT INTO store_owner VALUES (1, ?, ?)", [subscriber, queue]);
    },
  });
}

/** All inbox rows in one statement, then the effects of those that were not there, in one go. */
async function commitTogether(
  transaction: Transaction,
  group: readonly Commit[],
): Promise<readonly Outcome[]> {
  const { rows } = await transaction.query(
    `INSERT INTO inbox (event_id, processed_at)
       SELECT unnest(?::text[]), now() ON CONFLICT DO NOTHING RETURNING event_id`,
    [textArray(group.map(({ id }) => id))],
  );
  const isNew = new Set(rows.map((row) => row.event_id));
  // The first of an id is it; a second one of the same group finds it done.
  const outcomes = group.map(({ id }): Outcome => ({
    result: isNew.delete(id) ? "committed" : "duplicate",
  }));
  const effects = group.filter((_, index) => isCommitted(outcomes[index]!));
  // n.b. not waited for here: they and the commit are one way to the server and back.
  for (const { effect } of effects) begin(transaction, effect);
  return outcomes;
}

/** One after the other, each of which takes only itself back. */
async function commitSingly(
  transaction: Transaction,
  group: readonly Commit[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { id, effect } of group) {
    try {
      const result = await transaction.part(() => commitOne(transaction, id, effect));
      outcomes.push({ result });
    } catch (error) {
      if (faultOf(error) !== "statement") throw error;
      outcomes.push({ error });
    }
  }
  return outcomes;
}

async function commitOne(
  transaction: Transaction,
  id: string,
  effect: Effect,
): Promise<"committed" | "duplicate"> {
  const { count } = await transaction.query(
    "INSERT INTO inbox VALUES (?, now()) ON CONFLICT DO NOTHING",
    [id],
  );
  if (count === 0) return "duplicate";
  begin(transaction, effect);
  // n.b. a constraint that is checked at the end would fail all of the group.
  await transaction.query("SET CONSTRAINTS ALL IMMEDIATE");
  return "committed";
}

const isCommitted = (outcome: Outcome) => "result" in outcome && outcome.result === "committed";

/** Sends the statements of `effect`. n.b. their failure is that of the transaction, or of its part. */
function begin(transaction: Transaction, effect: Effect): void {
  for (const { sql, params } of effect) {
    void transaction.query(sqlFor("postgres", sql), params.map(storable));
  }
}

/**
 * `value` as PostgreSQL can keep it: no text may hold U+0000 there
 * (https://www.postgresql.org/docs/current/datatype-character.html), and SQLite keeps it. Whoever sends
 * one decides about no more than how it is shown.
 */
function storable<T extends SqlValue>(value: T): T {
  return (typeof value === "string" ? value.replaceAll("\0", "\u2400") : value) as T;
}

/** `texts` as a constant of the type `text[]`. */
function textArray(texts: readonly string[]): string {
  const quoted = texts.map((text) => `"${text.replace(/[\\"]/g, "\\$&")}"`);
  return `{${quoted.join(",")}}`;
}
