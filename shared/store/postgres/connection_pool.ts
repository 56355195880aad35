/** A bounded number of connections to the primary of some servers, made when they are needed. */
import { messageOf, StoreUnavailableError } from "../../base/errors.ts";
import { type DatabaseAddress, showDatabase } from "../../process/database_url.ts";
import { asStoreError } from "./postgres_errors.ts";
import { type ConnectionOptions, PostgresConnection } from "./postgres_connection.ts";

/** How many connections, and how long one is waited for. */
export interface PoolOptions extends ConnectionOptions {
  readonly maxConnections: number;
  /** How long a free connection is waited for, in milliseconds. */
  readonly acquireTimeoutMs: number;
}

type Waiter = (connection: PostgresConnection | undefined) => void;

/** See the head of this file. */
export class ConnectionPool {
  readonly #address: DatabaseAddress;
  readonly #options: PoolOptions;
  #idle: PostgresConnection[] = [];
  readonly #waiters = new Set<Waiter>();
  /** Connections in use or being made. */
  #used = 0;
  #isClosed = false;
  /** Which of the hosts was the primary last. */
  #host = 0;

  constructor(address: DatabaseAddress, options: PoolOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** What `work` gives with a connection that nobody else uses meanwhile.
   *
   * @throws {StoreUnavailableError} when there is none; what `work` throws.
   */
  async use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire();
    try {
      return await connection.inTime(() => work(connection));
    } finally {
      this.#release(connection);
    }
  }

  /** Looks for the primary anew at the next use: the server that was it takes no writes any more. */
  leavePrimary(): void {
    this.#host = (this.#host + 1) % this.#address.hosts.length;
    const idle = this.#idle.splice(0);
    for (const connection of idle) void connection.close();
  }

  /** Lets go of all connections. Whoever waits for one, or asks later, gets none. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiter of [...this.#waiters]) waiter(undefined);
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  async #acquire(): Promise<PostgresConnection> {
    if (this.#isClosed) throw this.#closed();
    for (let connection; (connection = this.#idle.pop());) {
      if (connection.isDead) continue;
      this.#used++;
      return connection;
    }
    if (this.#used >= this.#options.maxConnections) {
      const given = await this.#turn();
      if (given) return given;
    } else this.#used++;
    try {
      return await this.#connect();
    } catch (error) {
      this.#free();
      throw error;
    }
  }

  /** Waits for somebody's connection. @returns it, or `undefined`: the place for one of its own. */
  async #turn(): Promise<PostgresConnection | undefined> {
    const { maxConnections, acquireTimeoutMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<PostgresConnection | undefined>();
    const timer = setTimeout(() => {
      reject(
        new StoreUnavailableError(
          `Each of the ${maxConnections} connections to ${
            showDatabase(this.#address)
          } was in use ` +
            `for ${acquireTimeoutMs / 1_000} s`,
        ),
      );
    }, acquireTimeoutMs);
    this.#waiters.add(resolve);
    try {
      const connection = await promise;
      if (this.#isClosed) throw this.#closed();
      return connection;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(resolve);
    }
  }

  #release(connection: PostgresConnection): void {
    if (connection.isDead || this.#isClosed) {
      void connection.close();
      return this.#free();
    }
    const next = this.#nextWaiter();
    if (next) return next(connection);
    this.#used--;
    this.#idle.push(connection);
  }

  /** Gives a place for a connection to whoever waits. */
  #free(): void {
    const next = this.#nextWaiter();
    if (next) next(undefined);
    else this.#used--;
  }

  #nextWaiter(): Waiter | undefined {
    const [next] = this.#waiters;
    if (next) this.#waiters.delete(next);
    return next;
  }

  /** To the first of the hosts, from the last primary on, that can be written. */
  async #connect(): Promise<PostgresConnection> {
    const { hosts } = this.#address;
    const what = `Cannot use ${showDatabase(this.#address)}`;
    const reasons: unknown[] = [];
    for (let n = 0; n < hosts.length; n++) {
      const index = (this.#host + n) % hosts.length;
      try {
        const connection = await PostgresConnection.open(
          this.#address,
          hosts[index]!,
          this.#options,
        );
        if (hosts.length === 1 || await isPrimary(connection)) {
          this.#host = index;
          return connection;
        }
        await connection.close();
        throw new StoreUnavailableError("it is a standby");
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) throw error; // The sandbox names the flag.
        const { hostname, port } = hosts[index]!;
        if (hosts.length === 1) throw asConnectError(error, what);
        reasons.push(`${hostname}:${port}: ${messageOf(error)}`);
      }
    }
    throw new StoreUnavailableError(`${what}: ${reasons.join("; ")}`);
  }

  #closed(): StoreUnavailableError {
    return new StoreUnavailableError("The store is closed");
  }
}

/** n.b. whatever a server says before there is a statement, no statement is to blame. */
function asConnectError(error: unknown, what: string): unknown {
  const told = asStoreError(error, what);
  if (told instanceof StoreUnavailableError) return told;
  return new StoreUnavailableError(`${what}: ${messageOf(error)}`);
}

async function isPrimary(connection: PostgresConnection): Promise<boolean> {
  const { rows } = await connection.inTime(() =>
    connection.query("SELECT pg_is_in_recovery() AS is_standby")
  );
  return rows[0]?.is_standby === false;
}
