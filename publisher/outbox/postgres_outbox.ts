/**
 * The {@link Outbox} in PostgreSQL, for any number of relays (docs/decisions/0015-many-relays.md).
 *
 * A claim is a transaction that stays open while its events are published: it has their rows locked,
 * so that no other relay is given them, and a relay that dies lets go of them at once, or after
 * {@link PostgresOutboxOptions.claimTimeoutMs} where its machine is gone. Only the first event that
 * waits of each user and type is ever given to anybody: so the next one is published only after the
 * broker has confirmed the one before it, whatever happens to whoever published that.
 */
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import { userIdOf } from "@ecomarket/shared/contract/user_bucket";
import type { PostgresDatabase, Transaction } from "@ecomarket/shared/store/postgres";
import { sqlFor, type Statement } from "@ecomarket/shared/store/store";
import { type Database, type Queries, rowsOf } from "../database/database.ts";
import type { Backlog } from "./backlog.ts";
import {
  backlogQueries,
  type Claim,
  type ClaimRequest,
  type Outbox,
  type OutboxPart,
  type OutboxRow,
  type Settlement,
  toOutboxRow,
  WHOLE,
} from "./outbox.ts";

/** How a {@link PostgresOutbox} claims. */
export interface PostgresOutboxOptions {
  readonly db: Database;
  /** The same database, on connections for claims alone: no request must wait for the broker. */
  readonly claims: PostgresDatabase;
  /** See {@link SqliteOutbox}. */
  readonly announcedTables: readonly string[];
  /**
   * After so long without a word of its holder, the server gives a claim to others. Longer than one
   * event may take to be published. @default 30000
   */
  readonly claimTimeoutMs?: number;
}

/**
 * n.b. the planner knows a queue only as it was when it was last analysed, which is empty as a rule:
 * then it would sort all of a backlog for each batch. In the order of an index it need not.
 */
const IN_INDEX_ORDER = ["enable_seqscan", "enable_bitmapscan", "enable_sort"];

/** Its table is in `publisher/api/postgres_tables.ts`. */
export class PostgresOutbox implements Outbox {
  readonly #options: PostgresOutboxOptions;
  #onAppended: () => void = () => {};

  constructor(options: PostgresOutboxOptions) {
    this.#options = options;
  }

  set onAppended(listener: () => void) {
    this.#onAppended = listener;
  }

  *append(event: AnyEvent, now: Date): Queries<void> {
    yield* rowsOf(
      `INSERT INTO outbox (event_id, event_type, ordering_key, event, appended_at_ms)
       VALUES (?, ?, ?, ?, ?)`,
      event.event_id,
      event.event_type,
      // An event about no user has nobody's order to keep.
      userIdOf(event) ?? event.event_id,
      JSON.stringify(event),
      now.getTime(),
    );
  }

  appended(): void {
    this.#onAppended();
  }

  /** n.b. nothing of {@link ClaimRequest.behind} is needed: what failed is noted in its row. */
  claim(request: ClaimRequest): Promise<Claim> {
    return PostgresClaim.open(this.#options, request);
  }

  backlog(now: Date): Promise<Backlog> {
    return this.#options.db.read("Cannot read the outbox", () => backlogQueries(now));
  }
}

/** The end of a claim that nothing was published of: its transaction is taken back. */
class LetGo extends Error {}

/** Rows that this relay alone may publish, as long as its transaction stands. */
class PostgresClaim implements Claim {
  readonly rows: readonly OutboxRow[];
  readonly #options: PostgresOutboxOptions;
  /** What ends the transaction. */
  readonly #end: PromiseWithResolvers<Settlement & { readonly now: Date }>;
  /** The transaction, whose end is committed or is not. */
  readonly #transaction: Promise<void>;
  #isEnded = false;

  private constructor(
    rows: readonly OutboxRow[],
    options: PostgresOutboxOptions,
    end: PromiseWithResolvers<Settlement & { readonly now: Date }>,
    transaction: Promise<void>,
  ) {
    this.rows = rows;
    this.#options = options;
    this.#end = end;
    this.#transaction = transaction;
  }

  static async open(options: PostgresOutboxOptions, request: ClaimRequest): Promise<PostgresClaim> {
    const { claims, claimTimeoutMs = 30_000, announcedTables } = options;
    const claimed = Promise.withResolvers<readonly OutboxRow[]>();
    const end = Promise.withResolvers<Settlement & { readonly now: Date }>();
    end.promise.catch(() => {}); // Where the transaction is over already, nobody waits for its end.
    let isGiven = false;
    const transaction = claims.transaction("Cannot read the outbox", async (transaction) => {
      // n.b. a transaction that met another one would begin again: what it had is published already.
      if (isGiven) throw new StoreUnavailableError("The claim is lost");
      const rows = await claimRows(transaction, request);
      isGiven = true;
      claimed.resolve(rows);
      if (rows.length === 0) return;
      const { now, ...settlement } = await end.promise;
      const statements = settlementStatements(settlement, announcedTables, now);
      await Promise.all(
        statements.map(({ sql, params }) => transaction.query(sqlFor("postgres", sql), params)),
      );
    }, { idleTimeoutMs: claimTimeoutMs });
    transaction.catch(claimed.reject);
    return new PostgresClaim(await claimed.promise, options, end, transaction);
  }

  async settle(settlement: Settlement, now: Date): Promise<void> {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#end.resolve({ ...settlement, now });
      return await this.#transaction;
    }
    // n.b. a claim that is lost is no reason to keep what the broker has: another transaction removes it.
    const { db, announcedTables } = this.#options;
    await db.commit(function* () {
      yield* settlementStatements(settlement, announcedTables, now);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#end.reject(new LetGo());
    await this.#transaction.catch(() => {}); // Let go, or lost: the server takes it back in any case.
  }
}

/**
 * Locks the first events of `part` that may be published: each is the first one that waits of its user
 * and type, so that a later one is not even seen.
 */
async function claimRows(
  transaction: Transaction,
  { part = WHOLE, limit }: ClaimRequest,
): Promise<OutboxRow[]> {
  const [condition, value] = conditionOf(part);
  const settings = IN_INDEX_ORDER.map((name) => transaction.query(`SET LOCAL ${name} TO off`));
  const claimed = transaction.query(
    `SELECT position, event_id, event FROM outbox AS waiting
     WHERE ${condition} AND due_at <= now() AND position = (
       SELECT min(position) FROM outbox AS earlier
       WHERE earlier.event_type = waiting.event_type
         AND earlier.ordering_key = waiting.ordering_key)
     ORDER BY position LIMIT ? FOR UPDATE SKIP LOCKED`,
    [value, limit],
  );
  // n.b. together: where the connection is lost, each of them fails, and none must go unheard.
  const [{ rows }] = await Promise.all([claimed, ...settings]);
  return rows.map(toOutboxRow);
}

/** n.b. none needs the answer of another: they can be sent together. Done again, they change nothing. */
function settlementStatements(
  { confirmed, deferred = [], deferMs = 0 }: Settlement,
  announcedTables: readonly string[],
  now: Date,
): Statement[] {
  const statements: Statement[] = [];
  if (confirmed.length > 0) {
    const ids = JSON.stringify(confirmed.map(({ eventId }) => eventId));
    for (const table of announcedTables) {
      const sql = `UPDATE ${table} SET announced_at = ?
        WHERE event_id IN (SELECT json_array_elements_text(?::text::json)) AND announced_at IS NULL`;
      statements.push({ sql, params: [now.toISOString(), ids] });
    }
    const sql = `DELETE FROM outbox WHERE position IN (${POSITIONS})`;
    statements.push({ sql, params: [positionsOf(confirmed)] });
  }
  if (deferred.length > 0) {
    const sql = `UPDATE outbox SET due_at = clock_timestamp() + ? * interval '1 millisecond'
      WHERE position IN (${POSITIONS})`;
    statements.push({ sql, params: [Math.round(deferMs), positionsOf(deferred)] });
  }
  return statements;
}

const POSITIONS = "SELECT json_array_elements_text(?::text::json)::bigint";

function positionsOf(rows: readonly OutboxRow[]): string {
  return JSON.stringify(rows.map(({ position }) => position));
}

/** A condition with one parameter. */
function conditionOf(part: OutboxPart): readonly [condition: string, value: string] {
  return "only" in part ? ["event_type = ?", part.only] : [
    "event_type NOT IN (SELECT json_array_elements_text(?::text::json))",
    JSON.stringify(part.allBut),
  ];
}
