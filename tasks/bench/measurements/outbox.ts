/** Measurement 5: what the outbox costs the users API, and how soon after its 201 all have heard of a user. */
import { join } from "node:path";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { serviceSpec } from "../../compare/fleet/service_spec.ts";
import { closedLoop } from "../../compare/load/closed_loop.ts";
import { Latencies, type Percentiles } from "../../compare/load/latencies.ts";
import { signUp } from "../../compare/load/signup_client.ts";
import { newWorkshop, ThreeConsumers } from "../processes/roles.ts";
import { inTurns } from "../spread.ts";
import type { Place, World } from "../world.ts";

/** What one API did in its turn. */
export interface ApiFigures {
  readonly requestsPerSecond: number;
  readonly latencyMs: Percentiles;
}

/** Both APIs turn by turn, and the way of a single user. */
export interface OutboxResult {
  readonly withOutbox: readonly ApiFigures[];
  readonly usersOnly: readonly ApiFigures[];
  /** From the answer 201 to the third effect, one after the other. */
  readonly toThirdEffectMs: Percentiles;
}

const APIS = {
  withOutbox: { script: "publisher/api/users_api.ts", permissionSet: "users-api" },
  usersOnly: {
    script: "tasks/bench/subscribers/users_only_api.ts",
    permissionSet: "bench-users-only",
  },
};

/** How many signups are followed to their third effect. */
const FOLLOWED = 40;

/** As many requests as are answered, by clients that ask again at once. */
export async function measureOutbox(world: World): Promise<OutboxResult> {
  const { plan, say } = world;
  say("outbox: the users API with it and without …");
  const turns = await inTurns({
    withOutbox: () => apiFigures(world, "withOutbox"),
    usersOnly: () => apiFigures(world, "usersOnly"),
  }, Math.min(plan.runs, 3));
  say("outbox: from 201 to the third effect …");
  return { ...turns, toThirdEffectMs: await toThirdEffect(world) };
}

async function apiFigures(world: World, name: keyof typeof APIS): Promise<ApiFigures> {
  const { plan: { apiMs, apiClients }, signal } = world;
  await using place = await newWorkshop(world);
  await using api = await startApi(world, place, name);
  const url = await api.url;
  const latencies = new Latencies();
  let sent = 0;
  const send = async () => {
    const from = performance.now();
    const ok = await signUp(url, `${name}${sent++}@eco.example`);
    if (!ok) throw new Error(`${name} refused a signup`);
    latencies.record(performance.now() - from);
    return ok;
  };
  const requestsPerSecond = await closedLoop(send, {
    concurrency: apiClients,
    leadInMs: apiMs / 4,
    measureMs: apiMs,
    signal,
  });
  return { requestsPerSecond, latencyMs: latencies.percentiles };
}

async function toThirdEffect(world: World): Promise<Percentiles> {
  await using place = await newWorkshop(world);
  await using consumers = await ThreeConsumers.start(world, place);
  await using api = await startApi(world, place, "withOutbox");
  const url = await api.url;
  const latencies = new Latencies();
  for (let n = 1; n <= FOLLOWED; n++) {
    if (!await signUp(url, `followed${n}@eco.example`)) throw new Error("A signup was refused");
    const answeredAt = performance.now();
    await consumers.untilDone(n, 2);
    if (n > FOLLOWED / 4) latencies.record(performance.now() - answeredAt);
  }
  return latencies.percentiles;
}

async function startApi(
  world: World,
  place: Place,
  name: keyof typeof APIS,
): Promise<SandboxedProcess> {
  const dataDir = await world.newFolder(name);
  return await SandboxedProcess.startReady(serviceSpec({
    name,
    ...APIS[name],
    folder: join(dataDir, "users"),
    env: { DATA_DIR: dataDir, AMQP_URL: place.amqpUrl },
    port: (await freePorts(1))[0]!,
  }));
}
