/** What turns a baseline's way of telling its subscribers into a running process. */
import { parseArguments } from "@ecomarket/shared/process/args";
import { dataDir, logConfig } from "@ecomarket/shared/process/config";
import { configureLog, type Logger, roleLogger } from "@ecomarket/shared/process/log";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { serveUntil } from "./serve.ts";
import { signupApp, type Subscribers, USERS } from "./signup_app.ts";

/** What a baseline is given to reach its subscribers with. */
export interface SubscribersOptions {
  readonly role: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Serves `POST /users` on 127.0.0.1 until SIGINT or SIGTERM. */
export function runSignupApi(
  role: string,
  connect: (options: SubscribersOptions) => Promise<Subscribers>,
): Promise<never> {
  return runCommand(USAGE, async ({ args, signal }) => {
    if (parseArguments(args, {}).values.help) return print(USAGE.trim());
    await configureLog(logConfig());
    const log = roleLogger(role);
    await using subscribers = await connect({ role, log, signal });
    const owner = { subscriber: "users", queue: "http" };
    await using store = SqliteStore.open(dataDir("users"), owner, USERS);
    await serveUntil(signal, signupApp(subscribers, store).fetch, log);
  });
}

const USAGE = `
Usage: a baseline of deno task compare: what not to do

Serves POST /users on 127.0.0.1. Configured by the environment: PORT, DATA_DIR, AMQP_URL or
SUBSCRIBER_URLS, LOG_FORMAT, LOG_LEVEL, LOG_EMAILS.
`;
