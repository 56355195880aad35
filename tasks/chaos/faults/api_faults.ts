/** What can happen to the users API. */
import type { World } from "../world.ts";
import { killApiUnderLoad, killInTurn, toldOf } from "./api_kills.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

/** `kill -9` again and again, while clients register users and do not give up. */
async function killApi(world: World): Promise<FaultOutcome> {
  const { answers, kills, repeated, replays } = await killed(world);
  if (kills !== world.apiKills) throw new Error(`${kills} of ${world.apiKills} kills happened`);
  const proof = `${kills} processes gone by SIGKILL while ${answers} users were registered; ` +
    `${repeated} requests repeated, ${replays} answered from before the kill`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

/** n.b. where APIs run all the time, these are the ones. */
async function killed(world: World) {
  const { apis, apiKills } = world;
  if (apis) {
    const before = { answers: apis.load.answers.length, ...toldOf(apis.load) };
    const kills = await killInTurn(apis, apiKills);
    const after = toldOf(apis.load);
    return {
      kills,
      answers: apis.load.answers.length - before.answers,
      repeated: after.repeated - before.repeated,
      replays: after.replays - before.replays,
    };
  }
  const { answers, ...rest } = await killApiUnderLoad({
    amqpUrls: world.urlsOf("users-api"),
    dataDir: world.directory,
    kills: apiKills,
  });
  world.apiAnswers.push(...answers);
  return { answers: answers.length, ...rest };
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
