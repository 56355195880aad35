/** The primary dies while its standby is behind, and the standby takes its place. */
import { setTimeout as delay } from "node:timers/promises";
import { PrivatePostgres } from "@ecomarket/setup/postgres/private_postgres";
import { until } from "@ecomarket/shared/base/poll";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { queryRows } from "@ecomarket/testbed/postgres/test_postgres";
import {
  holdingsIn,
  ofEachSubscriber,
  storesReader,
} from "@ecomarket/testbed/stores/stores_reader";
import { readUsersStore } from "../accounts/api_books.ts";
import type { LostPrimary } from "../accounts/lost_primary.ts";
import type { World } from "../world.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

/** How long the standby is cut off before its primary dies. */
const BEHIND_MS = 1_500;

/**
 * Cuts the standby off, kills the primary while the roles write, and promotes the standby. What the
 * primary held is read from its disk afterwards, on another port: nobody mistakes it for the primary.
 */
async function promote(world: World): Promise<FaultOutcome> {
  const servers = world.stores.postgres;
  if (!servers?.standby) throw new Error("there is no standby to promote");
  const { primary, standby, link, replication } = servers;
  await until("a standby that follows", async () => await behind(primary, standby) === 0);
  link.stall();
  const before = handled(world);
  await delay(BEHIND_MS);
  const done = handled(world) - before;
  const bytes = await behind(primary, standby);
  if (bytes === 0) throw new Error("nothing was written while the standby was cut off");
  if (replication === "asynchronous" && done === 0) {
    throw new Error("no effect was committed while the standby was cut off");
  }
  const pid = await primary.pid();
  await primary.kill();
  link.refuse();
  await servers.promote();
  const endedAt = performance.now();
  const dead = await readDead(world, primary);
  if (replication === "asynchronous") world.stores.lostPrimary = dead;
  const proof =
    `${replication}: cut off for ${BEHIND_MS} ms, the standby was ${bytes} bytes of WAL ` +
    `behind, and ${done} effects were told as done; primary (pid ${pid}) gone by SIGKILL, ` +
    `standby (pid ${await standby.pid()}) promoted`;
  return { proof, endedAt, affected: world.running };
}

/** How much the primary has on its disk that the standby has not received, in bytes. */
async function behind(primary: PrivatePostgres, standby: PrivatePostgres): Promise<number> {
  const [theirs] = await queryRows(
    standby.urlOf(),
    "SELECT coalesce(pg_last_wal_receive_lsn(), '0/0')::text AS lsn",
  );
  const [ours] = await queryRows(
    primary.urlOf(),
    `SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '${theirs?.lsn}')::bigint AS bytes`,
  );
  return Number(ours?.bytes);
}

function handled({ logs }: World): number {
  return Object.values(logs).reduce((sum, log) => sum + log.handled, 0);
}

async function readDead(world: World, primary: PrivatePostgres): Promise<LostPrimary> {
  const dead = await PrivatePostgres.reopen(primary);
  await dead.start();
  try {
    await using reader = await storesReader(() => "", parseDatabaseUrl(dead.urlOf()));
    const subscribers = await ofEachSubscriber((name) => holdingsIn(reader, name));
    const { users } = await readUsersStore(reader, world.stores.usersStore);
    return { subscribers, users };
  } finally {
    await dead.stop();
  }
}

/** Faults of a primary with a standby. */
export const PROMOTION_FAULTS: readonly Fault[] = [
  {
    name: "standby-promoted",
    description: "the primary dies while its standby is cut off, and the standby is promoted",
    nodes: 1,
    store: "postgres",
    inject: promote,
  },
];
