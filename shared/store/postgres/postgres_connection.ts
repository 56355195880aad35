/**
 * One connection to PostgreSQL, with one life. What is sent on it is answered in order, and once it is
 * lost everything fails: nothing is ever sent again on another connection, where the transaction that
 * it belongs to would not be.
 *
 * n.b. the package connects again by itself and sends there what still waits (`onclose()` in
 * `src/index.js@postgres 3.4.9`). A statement of a transaction would then be committed alone. So each
 * connection here is a pool of one whose socket is given once.
 */
import { connect as connectTcp, type Socket } from "node:net";
import postgres from "postgres";
import { ConfigError, StoreUnavailableError } from "../../base/errors.ts";
import type { DatabaseAddress, DatabaseHost } from "../../process/database_url.ts";
import type { SqlValue } from "../store.ts";

/** How to connect, in milliseconds. */
export interface ConnectionOptions {
  /** Who connects: shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** How long the server may take to answer, when connecting and for each transaction. */
  readonly answerTimeoutMs: number;
}

/** What a statement gave. */
export interface Answer {
  // deno-lint-ignore no-explicit-any -- whoever writes the statement knows its columns
  readonly rows: readonly Record<string, any>[];
  /** Rows that were inserted, changed or deleted. */
  readonly count: number;
  /** What was done, such as `INSERT` or `ROLLBACK`. */
  readonly command: string;
}

/** Statements that are prepared at most on one connection; others are parsed each time. */
const MAX_PREPARED = 200;

/** See the head of this file. */
export class PostgresConnection {
  readonly #sql: postgres.Sql;
  readonly #address: DatabaseHost;
  readonly #answerTimeoutMs: number;
  readonly #prepared = new Set<string>();
  /** Who has to hear of its end. */
  readonly #waiting = new Set<(reason: StoreUnavailableError) => void>();
  #isDead = false;

  private constructor(
    address: DatabaseAddress,
    host: DatabaseHost,
    socket: Socket,
    { applicationName, answerTimeoutMs }: ConnectionOptions,
  ) {
    this.#address = host;
    this.#answerTimeoutMs = answerTimeoutMs;
    requireOwnHosts();
    let isGiven = false;
    // n.b. all options are given: for each that is not, the package asks the environment. It does so for
    // PGAPPNAME and PGTARGETSESSIONATTRS in any case.
    const options = {
      host: host.hostname,
      port: host.port,
      user: address.user,
      // n.b. a function is never empty: for an empty password, the package asks the environment.
      password: () => address.password,
      database: address.database,
      ssl: tlsOptions(address),
      max: 1,
      idle_timeout: 0,
      connect_timeout: Math.ceil(answerTimeoutMs / 1_000),
      max_lifetime: null,
      max_pipeline: 1_000,
      backoff: false,
      keep_alive: 10,
      prepare: true,
      debug: false,
      fetch_types: false,
      publications: "none",
      sslnegotiation: null,
      target_session_attrs: null,
      onnotice: () => {},
      // n.b. not the socket's own event: where TLS begins, the package takes all listeners off it.
      onclose: () => this.#end(),
      types: { bigint: { to: INT8, from: [INT8], serialize: String, parse: wholeNumber } },
      connection: { application_name: Deno.env.get("PGAPPNAME") || applicationName },
      socket: () => {
        if (isGiven) throw new StoreUnavailableError("The connection is lost");
        isGiven = true;
        return socket;
      },
    };
    // n.b. the package's types lack some of what its code takes.
    this.#sql = postgres(options as unknown as postgres.Options<Record<string, never>>);
  }

  /**
   * Connects to `host`.
   *
   * @throws what the network or the server says; see `postgres_errors.ts`.
   */
  static async open(
    address: DatabaseAddress,
    host: DatabaseHost,
    options: ConnectionOptions,
  ): Promise<PostgresConnection> {
    const socket = await openSocket(host, options.answerTimeoutMs);
    const connection = new PostgresConnection(address, host, socket, options);
    try {
      await connection.inTime(() => connection.run("SELECT 1"));
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Whether it is lost or closed: it is of no use any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /**
   * Runs `sql`, which has a `$n` for each parameter. Statements that are begun without waiting for each
   * other's answer are sent together, and done in order.
   *
   * @throws what the server says of it. Where the connection is lost, it is not known whether it was
   *   done.
   */
  async query(sql: string, params: readonly SqlValue[] = []): Promise<Answer> {
    if (this.#isDead) throw this.#lost();
    const prepare = this.#prepared.has(sql) || this.#prepared.size < MAX_PREPARED;
    if (prepare) this.#prepared.add(sql);
    // n.b. `execute()` sends it now: by itself a query waits for the next turn.
    const query = this.#sql.unsafe(sql, params as postgres.ParameterOrJSON<never>[], {
      prepare,
      simple: false,
    } as postgres.UnsafeQueryOptions).execute();
    const result = await query;
    return { rows: [...result], count: result.count ?? 0, command: result.command };
  }

  /** Runs several statements without parameters, with `;` between them, in one message. */
  async run(sql: string): Promise<void> {
    if (this.#isDead) throw this.#lost();
    await this.#sql.unsafe(sql).simple().execute();
  }

  /** Lets go of it. Whatever still runs on it fails, and the server takes it back. */
  async close(): Promise<void> {
    this.#isDead = true;
    await this.#sql.end({ timeout: 0 }).catch(() => {});
  }

  /**
   * What `work` with this connection gives. A server that is frozen, or behind a network that drops
   * everything, never answers: after the answer timeout the connection is closed.
   *
   * @throws {StoreUnavailableError} when that takes longer: it is not known what was done.
   */
  async inTime<T>(work: () => Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    this.#waiting.add(reject);
    const timer = setTimeout(() => {
      reject(this.#lost(`did not answer within ${this.#answerTimeoutMs / 1_000} s`));
      void this.close();
    }, this.#answerTimeoutMs);
    const done = work();
    done.catch(() => {}); // Where it is late or lost, nobody waits any more.
    try {
      return await Promise.race([done, ended]);
    } finally {
      this.#waiting.delete(reject);
      clearTimeout(timer);
    }
  }

  #end(): void {
    this.#isDead = true;
    // n.b. it is not left to the package alone to tell who waits: seen once, it did not.
    for (const reject of this.#waiting) reject(this.#lost());
  }

  #lost(what = "is not connected any more"): StoreUnavailableError {
    const { hostname, port } = this.#address;
    return new StoreUnavailableError(`PostgreSQL at ${hostname}:${port} ${what}`);
  }
}

/** n.b. with this set, the package would look for another server by itself, and never find one. */
function requireOwnHosts(): void {
  if (!Deno.env.get("PGTARGETSESSIONATTRS")) return;
  throw new ConfigError(
    "PGTARGETSESSIONATTRS is set: unset it. Of the hosts in DATABASE_URL the primary is taken anyway",
  );
}

/** The type of `BIGINT`, and of `count(*)` (`pg_type.dat` of PostgreSQL). */
const INT8 = 20;

/** As a number, like SQLite gives it, where a number can hold it. */
function wholeNumber(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function tlsOptions({ sslmode, ca }: DatabaseAddress): unknown {
  if (sslmode === "disable") return false;
  // n.b. said aloud, for `NODE_TLS_REJECT_UNAUTHORIZED=0` in the environment would turn it off.
  return { rejectUnauthorized: sslmode === "verify-full", ...(ca === undefined ? {} : { ca }) };
}

async function openSocket({ hostname, port }: DatabaseHost, timeoutMs: number): Promise<Socket> {
  const socket = connectTcp({ host: hostname, port, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new StoreUnavailableError(`${hostname}:${port} did not answer in time`)),
    timeoutMs,
  );
  socket.once("connect", resolve).once("error", reject);
  try {
    await promise;
    // n.b. the package asks the socket for the name that the server's certificate must have.
    return Object.assign(socket.off("error", reject), { host: hostname, port });
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
