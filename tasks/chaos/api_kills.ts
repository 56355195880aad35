/** The users API under load, killed with `kill -9` again and again, at moments that nobody chose. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { freePorts } from "@ecomarket/setup/free_ports";
import { poll } from "@ecomarket/setup/poll";
import type { LogRecord } from "../role_process.ts";
import { UsersApiProcess } from "../users_api_process.ts";
import { type Answer, ApiLoad } from "./api_load.ts";
import { Supervisor } from "./supervisor.ts";

/** What the API is put through. */
export interface ApiKillsOptions {
  readonly amqpUrls: readonly string[];
  /** The API's store is in the folder `users` of it. */
  readonly dataDir: string;
  /** How often it is killed. */
  readonly kills: number;
  /** How long it lives before each, at most. @default 400 */
  readonly maxLifeMs?: number;
  /** Clients at once. @default 8 */
  readonly clients?: number;
  /** From 0 to 1, as `Math.random`. @default Math.random */
  readonly random?: () => number;
  readonly onRecord?: (record: LogRecord) => void;
}

/** What came of it. */
export interface ApiKillsResult {
  /** What the clients were told: every user that they began is in it. */
  readonly answers: readonly Answer[];
  /** Processes that ended by SIGKILL. */
  readonly kills: number;
  /** Requests that a kill left without an answer, or that found nobody. */
  readonly repeated: number;
  /** Users that were registered by a request whose answer never came. */
  readonly replays: number;
}

/**
 * Starts the API, registers users without a pause, and kills the API `kills` times; then lets the
 * clients finish, and the outbox run empty, and ends the API in order.
 *
 * @throws {Error} when the API ends otherwise than by the kills, answers anything unexpected, or has
 *   events left after two minutes.
 */
export async function killApiUnderLoad(options: ApiKillsOptions): Promise<ApiKillsResult> {
  const { amqpUrls, dataDir, kills, onRecord, random = Math.random } = options;
  const [port] = await freePorts(1);
  await using api = new Supervisor("users-api", () =>
    UsersApiProcess.start({
      amqpUrls,
      dataDir,
      port: port!,
      env: { LOG_LEVEL: "info" },
      ...(onRecord ? { onRecord } : {}),
    }));
  await api.start();
  await using load = ApiLoad.start({
    url: `http://127.0.0.1:${port}`,
    clients: options.clients ?? 8,
  });
  for (let n = 0; n < kills; n++) {
    await delay(random() * (options.maxLifeMs ?? 400));
    await api.kill();
  }
  await load.finish();
  await untilOutboxIsEmpty(`http://127.0.0.1:${port}`);
  const { code } = await api.stop();
  if (code !== 0) throw new Error(`The API ended with ${code} when it was asked to stop`);
  return {
    answers: load.answers,
    kills: api.deaths.filter(({ signal }) => signal === "SIGKILL").length,
    repeated: load.repeated,
    replays: load.answers.filter(({ isReplay }) => isReplay).length,
  };
}

const backlogSchema = z.object({ backlog: z.object({ events: z.number() }) });
const DRAIN_TIMEOUT_MS = 120_000;

async function untilOutboxIsEmpty(url: string): Promise<void> {
  const isEmpty = async () => {
    const { backlog } = backlogSchema.parse(await (await fetch(`${url}/readyz`)).json());
    return backlog.events === 0 ? true : undefined;
  };
  if (!await poll(isEmpty, { timeoutMs: DRAIN_TIMEOUT_MS })) {
    throw new Error(`The outbox still holds events after ${DRAIN_TIMEOUT_MS} ms`);
  }
}
