/** The users API under load, killed with `kill -9` again and again, at moments that nobody chose. */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@ecomarket/shared/base/poll";
import type { Answer, ApiLoad } from "../load/api_load.ts";
import { UsersApis } from "../load/users_apis.ts";

/** What the API is put through. */
export interface ApiKillsOptions {
  readonly amqpUrls: readonly string[];
  /** The API's store is in the folder `users` of it. */
  readonly dataDir: string;
  /** How often it is killed. */
  readonly kills: number;
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

/** How long after it has come to what is waited for the API is killed, at most. */
const MAX_DELAY_MS = 200;
/** How long anything is waited for. */
const PATIENCE_MS = 120_000;

/**
 * Starts the API, registers users without a pause, and kills the API `kills` times. Then lets the
 * clients finish and the outbox run empty, and ends the API in order.
 *
 * @throws {Error} when the API ends otherwise than by the kills, answers anything unexpected, or has
 *   events left after two minutes, or a client or the relay is stuck for so long.
 */
export async function killApiUnderLoad(options: ApiKillsOptions): Promise<ApiKillsResult> {
  const { kills, ...where } = options;
  await using apis = await UsersApis.start(where);
  const happened = await killInTurn(apis, kills);
  await apis.finish();
  return { answers: apis.load.answers, kills: happened, ...toldOf(apis.load) };
}

/**
 * Kills each of `apis` in turn, `kills` times in all, a random moment after it listens, has answered,
 * or has published, in turn: however slow the machine is, each part of its work is interrupted.
 *
 * @returns how many processes ended by SIGKILL.
 */
export async function killInTurn({ instances, load }: UsersApis, kills: number): Promise<number> {
  const killed = () =>
    instances.flatMap(({ supervisor }) => supervisor.deaths)
      .filter(({ signal }) => signal === "SIGKILL").length;
  const before = killed();
  for (let n = 0; n < kills; n++) {
    const { supervisor, isRelaying } = instances[n % instances.length]!;
    const answered = load.answers.length;
    const hasCome = [() => true, () => load.answers.length > answered, isRelaying][n % 3]!;
    await until("the API's work", hasCome, { timeoutMs: PATIENCE_MS });
    await delay(Math.random() * MAX_DELAY_MS);
    await supervisor.kill();
  }
  return killed() - before;
}

/** What the clients noticed of it. */
export function toldOf(load: ApiLoad): Pick<ApiKillsResult, "repeated" | "replays"> {
  return {
    repeated: load.repeated,
    replays: load.answers.filter(({ isReplay }) => isReplay).length,
  };
}
