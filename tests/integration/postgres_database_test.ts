/** Transactions on PostgreSQL: whole or not at all, whatever becomes of the server. */
import assert from "node:assert/strict";
import { StoreRefusedError, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { type DatabaseOptions, PostgresDatabase } from "@ecomarket/shared/store/postgres";
import { PostgresConnection } from "@ecomarket/shared/store/postgres_connection";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { queryRows, runSql } from "@ecomarket/testbed/postgres/test_postgres";
import { eventually } from "../support/eventually.ts";
import { postgresOfFile, postgresTest } from "../support/postgres_of_file.ts";

const postgres = postgresOfFile({ max_connections: "40" });

const TABLE = "CREATE TABLE notes (id BIGINT GENERATED ALWAYS AS IDENTITY, text TEXT NOT NULL)";

/** Ends the connections to the database `name`. */
const terminate = (name: string) =>
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = '${name}' AND application_name = 'ecomarket notes'`;

async function openNotes(url: string, options: Partial<DatabaseOptions> = {}) {
  const address = parseDatabaseUrl(url);
  const database = await PostgresDatabase.open(address, {
    name: "notes",
    migrations: [TABLE],
    ...options,
  });
  const write = (text: string) =>
    database.transaction(
      "Cannot write",
      (transaction) => transaction.query("INSERT INTO notes (text) VALUES (?)", [text]),
    );
  const texts = async () =>
    (await queryRows(url, "SELECT text FROM notes.notes ORDER BY id")).map(({ text }) => text);
  return { database, write, texts, [Symbol.asyncDispose]: () => database.close() };
}

postgresTest("transaction() does all of its statements or none", async () => {
  const url = await postgres.database();
  await using notes = await openNotes(url);
  await notes.write("kept? yes");
  await assert.rejects(
    notes.database.transaction("Cannot write", async (transaction) => {
      await transaction.query("INSERT INTO notes (text) VALUES (?)", ["lost"]);
      await transaction.query("INSERT INTO notes (text) VALUES (?)", [null]);
    }),
    { code: "23502" },
  );
  await notes.write("later");
  assert.deepEqual(await notes.texts(), ["kept? yes", "later"]);
});

postgresTest(
  "transaction() is a StoreUnavailableError when its connection is terminated",
  async () => {
    const url = await postgres.database();
    await using notes = await openNotes(url);
    await assert.rejects(
      notes.database.transaction("Cannot write", async (transaction) => {
        await transaction.query("INSERT INTO notes (text) VALUES ('lost')");
        await runSql(url, terminate(new URL(url).pathname.slice(1)));
        await transaction.query("INSERT INTO notes (text) VALUES ('lost, too')");
      }),
      StoreUnavailableError,
    );
    await notes.write("later");
    assert.deepEqual(await notes.texts(), ["later"]);
  },
);

postgresTest("transaction() comes back after the server was killed", async () => {
  const url = await postgres.database();
  await using notes = await openNotes(url);
  await notes.write("before");
  await postgres.server.kill();
  await assert.rejects(notes.write("meanwhile"), StoreUnavailableError);
  await assert.rejects(notes.database.checkWritable(), StoreUnavailableError);
  await postgres.server.start({ max_connections: "40" });
  await notes.write("after");
  assert.deepEqual(await notes.texts(), ["before", "after"]);
});

postgresTest("transactions that meet are done again until both are done", async () => {
  const url = await postgres.database();
  await using notes = await openNotes(url);
  await notes.write("0");
  let tries = 0;
  const { promise: bothHaveRead, resolve } = Promise.withResolvers<void>();
  const add = () =>
    notes.database.transaction("Cannot count", async (transaction) => {
      const { rows } = await transaction.query("SELECT text FROM notes");
      if (++tries === 2) resolve();
      await bothHaveRead;
      await transaction.query("UPDATE notes SET text = ?", [String(Number(rows[0]!.text) + 1)]);
    }, { isolation: "serializable" });
  await Promise.all([add(), add()]);
  assert.deepEqual(await notes.texts(), ["2"]);
  assert.ok(tries > 2, `${tries} tries`);
});

postgresTest("a transaction waits for a connection no longer than it may", async () => {
  const url = await postgres.database();
  await using notes = await openNotes(url, { maxConnections: 1, acquireTimeoutMs: 100 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const holding = notes.database.transaction("Cannot wait", async (transaction) => {
    await transaction.query("SELECT 1");
    await promise;
  });
  await assert.rejects(notes.write("too late"), { message: /1 connections .* in use/ });
  resolve();
  await holding;
  await notes.write("later");
  assert.deepEqual(await notes.texts(), ["later"]);
});

postgresTest("too many connections are a StoreUnavailableError", async () => {
  const url = await postgres.database();
  await using notes = await openNotes(url);
  const address = parseDatabaseUrl(url);
  const others = PostgresDatabase.connect(address, { name: "others", maxConnections: 60 });
  const hold = () => others.query("Cannot wait", "SELECT pg_sleep(0.5)");
  const results = await Promise.allSettled(Array.from({ length: 60 }, hold));
  await others.close();
  const reasons = results.flatMap((result) => result.status === "rejected" ? result.reason : []);
  assert.ok(reasons.length > 0, "the server had no place for all");
  assert.ok(reasons.every((reason) => reason instanceof StoreUnavailableError));
  await notes.write("later");
});

postgresTest("a read-only server is a StoreUnavailableError", async () => {
  const url = await postgres.database();
  await using notes = await openNotes(url);
  const name = new URL(url).pathname.slice(1);
  // n.b. from another database: a connection to this one could not undo it.
  const setReadOnly = async (value: string) => {
    const sql = `ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`;
    await runSql(postgres.server.urlOf(), sql, terminate(name));
  };
  await setReadOnly("on");
  await assert.rejects(notes.write("lost"), StoreUnavailableError);
  await assert.rejects(notes.database.checkWritable(), StoreUnavailableError);
  await setReadOnly("off");
  await notes.database.checkWritable();
});

postgresTest("open() says that the server refuses us, without the password", async () => {
  const url = new URL(await postgres.database());
  url.password = "wr0ng";
  await assert.rejects(openNotes(url.href), (error: Error) => {
    assert.ok(error instanceof StoreRefusedError);
    assert.doesNotMatch(error.message, /wr0ng/);
    assert.match(error.message, /authentication failed/);
    return true;
  });
});

postgresTest("ten that open at once migrate once", async () => {
  const url = await postgres.database();
  const migrations = [TABLE, "INSERT INTO notes (text) VALUES ('migrated')"];
  const opened = await Promise.all(
    Array.from({ length: 10 }, () => openNotes(url, { migrations })),
  );
  await Promise.all(opened.map(({ database }) => database.close()));
  assert.deepEqual(await opened[0]!.texts(), ["migrated"]);
});

postgresTest("a migration that fails leaves nothing behind", async () => {
  const url = await postgres.database();
  const broken = [TABLE, "INSERT INTO notes (text) VALUES (NULL)"];
  await assert.rejects(openNotes(url, { migrations: broken }), { code: "23502" });
  const rows = await queryRows(url, "SELECT 1 FROM pg_namespace WHERE nspname = 'notes'");
  assert.equal(rows.length, 0);
});

postgresTest(
  "a statement that waits when its connection is lost is never sent on another one",
  async () => {
    const url = await postgres.database();
    await runSql(url, "CREATE TABLE notes (text TEXT)");
    await using proxy = TcpProxy.before(url);
    const address = parseDatabaseUrl(proxy.urlFor(url));
    const options = { applicationName: "ecomarket notes", answerTimeoutMs: 10_000 };
    const connection = await PostgresConnection.open(address, address.hosts[0]!, options);
    await connection.run("BEGIN");
    // n.b. the first time, a statement is asked about first: what comes behind it waits here.
    const statements = [
      connection.query("SELECT pg_sleep($1)", [30]),
      connection.query("INSERT INTO notes VALUES ('of the transaction')"),
    ];
    for (const statement of statements) statement.catch(() => {}); // They are looked at below.
    const sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    await eventually(async () => assert.equal((await queryRows(url, sleeping)).length, 1));
    proxy.cut();
    for (const statement of statements) await assert.rejects(statement);
    assert.ok(connection.isDead);
    await connection.close();
    await assert.rejects(connection.query("SELECT 1"), StoreUnavailableError);
    assert.deepEqual(await queryRows(url, "SELECT * FROM notes"), []);
  },
);
