/** The users API under load, killed with `kill -9` again and again, at moments that nobody chose. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { until } from "@ecomarket/shared/base/poll";
import { startRole, usersApi } from "@ecomarket/testbed/processes/roles";
import { type Answer, ApiLoad } from "../load/api_load.ts";
import { Supervisor } from "../load/supervisor.ts";

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

/** What one process of the API has come to. */
interface Life {
  isRelaying: boolean;
}

/**
 * Starts the API, registers users without a pause, and kills the API `kills` times, a random moment
 * after it listens, has answered, or has published, in turn: however slow the machine is, each part of
 * its work is interrupted. Then lets the clients finish and the outbox run empty, and ends the API in
 * order.
 *
 * @throws {Error} when the API ends otherwise than by the kills, answers anything unexpected, or has
 *   events left after two minutes, or a client or the relay is stuck for so long.
 */
export async function killApiUnderLoad(options: ApiKillsOptions): Promise<ApiKillsResult> {
  const { amqpUrls, dataDir, kills } = options;
  const [port] = await freePorts(1);
  let life: Life = { isRelaying: false };
  await using api = new Supervisor("users-api", () => {
    const own: Life = { isRelaying: false };
    life = own;
    return startRole(usersApi(port!), {
      amqpUrls,
      dataDir,
      onRecord({ state }) {
        if (state === "relaying") own.isRelaying = true;
      },
    });
  });
  await api.start();
  await using load = ApiLoad.start(`http://127.0.0.1:${port}`);
  for (let n = 0; n < kills; n++) {
    const answered = load.answers.length;
    const hasCome = [
      () => true,
      () => load.answers.length > answered,
      () => life.isRelaying,
    ][n % 3]!;
    await until("the API's work", hasCome, { timeoutMs: PATIENCE_MS });
    await delay(Math.random() * MAX_DELAY_MS);
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

function untilOutboxIsEmpty(url: string): Promise<void> {
  return until("an empty outbox", async () => {
    const { backlog } = backlogSchema.parse(await (await fetch(`${url}/readyz`)).json());
    return backlog.events === 0;
  }, { timeoutMs: PATIENCE_MS });
}
