/**
 * The users API as it would be if it told nobody: the same routes, checks and answers, and the same
 * table of users; no outbox, and no broker.
 */
import { Hono } from "hono";
import { IdempotencyKeys } from "@ecomarket/publisher/api/idempotency";
import { Recorder } from "@ecomarket/publisher/api/recorder";
import { SQLITE_API_MIGRATIONS } from "@ecomarket/publisher/api/sqlite_tables";
import { addUserRoutes } from "@ecomarket/publisher/api/user_routes";
import { Users } from "@ecomarket/publisher/api/users";
import { sqliteDatabase } from "@ecomarket/publisher/database/sqlite_database";
import { SqliteOutbox } from "@ecomarket/publisher/outbox/sqlite_outbox";
import { aborted } from "@ecomarket/shared/base/abort";
import { serveHttp } from "@ecomarket/shared/http/serve_http";
import { dataDir, logConfig, usersApiConfig } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { runCommand } from "@ecomarket/shared/process/main";
import { SqliteDatabase } from "@ecomarket/shared/store/sqlite";

/** Keeps no event. */
class NoOutbox extends SqliteOutbox {
  override *append(): ReturnType<SqliteOutbox["append"]> {}
  override appended(): void {}
}

if (import.meta.main) {
  await runCommand("", async ({ signal }) => {
    await configureLog(logConfig());
    const log = roleLogger("users-only-api");
    await using db = sqliteDatabase(
      SqliteDatabase.open(dataDir("users"), SQLITE_API_MIGRATIONS),
    );
    const recorder = new Recorder(db, new NoOutbox(db, []), new IdempotencyKeys(db));
    const app = new Hono();
    addUserRoutes(app, new Users(db, recorder), log);
    app.get("/readyz", (c) => c.json({ status: "ready" }));
    const { host, port } = usersApiConfig();
    const server = await serveHttp({
      host,
      port,
      handler: app.fetch,
      choosePort: (free) => `PORT=${free}`,
      log,
      shutdownTimeoutMs: 4_000,
    });
    await aborted(signal);
    await server.shutdown();
  });
}
