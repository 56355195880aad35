/** A subscriber of the coupled baseline: told over HTTP, while whoever tells it waits. */
import { z } from "zod";
import { messageOf } from "@ecomarket/shared/base/errors";
import { dataDir, logConfig } from "@ecomarket/shared/process/config";
import { configureLog, roleLogger } from "@ecomarket/shared/process/log";
import { runCommand } from "@ecomarket/shared/process/main";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { serveUntil } from "./serve.ts";
import { behaviourFromEnvironment, signupEffect, SIGNUPS, work } from "./subscriber_behaviour.ts";

const USAGE = `
Usage: a subscriber of deno task compare, told over HTTP

Configured by the environment: PORT, DATA_DIR, SUBSCRIBER, LATENCY_MS, FAIL_EVERY.
`;

const bodySchema = z.object({ event_id: z.string(), email: z.string() });

await runCommand(USAGE, async ({ signal }) => {
  await configureLog(logConfig());
  const behaviour = behaviourFromEnvironment();
  const act = work(behaviour);
  const owner = { subscriber: behaviour.name, queue: "http" };
  await using store = SqliteStore.open(dataDir(behaviour.name), owner, SIGNUPS);
  await serveUntil(signal, async (request) => {
    if (request.method === "GET") return new Response();
    try {
      const { event_id, email } = bodySchema.parse(await request.json());
      // n.b. a caller that has given up does not undo what it asked for.
      await act(signal);
      await store.commit(event_id, signupEffect(event_id, email));
      return new Response(null, { status: 204 });
    } catch (error) {
      return new Response(messageOf(error), { status: 500 });
    }
  }, roleLogger(behaviour.name));
});
