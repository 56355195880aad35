/** What can happen to the users API. */
import type { World } from "../world.ts";
import { killApiUnderLoad } from "./api_kills.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

/** `kill -9` again and again, while clients register users and do not give up. */
async function killApi(world: World): Promise<FaultOutcome> {
  const { answers, kills, repeated, replays } = await killApiUnderLoad({
    amqpUrls: world.urlsOf("users-api"),
    dataDir: world.directory,
    kills: world.apiKills,
  });
  world.apiAnswers.push(...answers);
  if (kills !== world.apiKills) throw new Error(`${kills} of ${world.apiKills} kills happened`);
  const proof =
    `${kills} processes gone by SIGKILL while ${answers.length} users were registered; ` +
    `${repeated} requests repeated, ${replays} answered from before the kill`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

/** Faults of the users API. */
export const API_FAULTS: readonly Fault[] = [
  {
    name: "kill-users-api",
    description: "kill -9 of the users API under load, again and again",
    nodes: 1,
    inject: killApi,
  },
];
