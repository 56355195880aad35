/**
 * The users API as it would be if it told nobody: the same routes, checks and answers, and the same
 * table of users; no outbox, and no broker.
 */
import { Hono } from "hono";
import { Recorder } from "@ecomarket/publisher/api/recorder";
import { ANNOUNCED_TABLES, API_MIGRATIONS } from "@ecomarket/publisher/api/tables";
import { addUserRoutes } from "@ecomarket/publisher/api/user_routes";
import { Users } from "@ecomarket/publisher/api/users";
import { Outbox } from "@ecomarket/publisher/outbox/outbox";
import { aborted } from "@ecomarket/shared/base/abort";
import { serveHttp } from "@ecomarket/shared/http/serve_http";
import { dataDir, logConfig, usersApiConfig } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { runCommand } from "@ecomarket/shared/process/main";
import { SqliteDatabase } from "@ecomarket/shared/store/sqlite";

/** Keeps no event. */
class NoOutbox extends Outbox {
  override append(): void {}
  override appended(): void {}
}

if (import.meta.main) {
  await runCommand("", async ({ signal }) => {
    await configureLog(logConfig());
    const log = roleLogger("users-only-api");
    const db = SqliteDatabase.open(dataDir("users"), API_MIGRATIONS);
    const recorder = new Recorder(db, new NoOutbox(db, ANNOUNCED_TABLES));
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
    db.close();
  });
}
