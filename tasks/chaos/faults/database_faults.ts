/** The database that all roles share: killed, restarted, out of connections, frozen. */
import { setTimeout as delay } from "node:timers/promises";
import { poll, until } from "@ecomarket/shared/base/poll";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { PostgresConnection } from "@ecomarket/shared/store/postgres_connection";
import { IS_WINDOWS } from "@ecomarket/shared/process/platform";
import { lowerAckTimeout, sufferAckTimeout } from "@ecomarket/testbed/broker/ack_timeout";
import { queryRows } from "@ecomarket/testbed/postgres/test_postgres";
import type { PostgresServers } from "../stores/postgres_servers.ts";
import type { World } from "../world.ts";
import { type Fault, type FaultOutcome, provoke } from "./fault.ts";
import { PROMOTION_FAULTS } from "./promotion_faults.ts";

/** How long the server is away, or has no connection to give. */
const AWAY_MS = 1_000;
const EXHAUSTED_MS = 2_000;
/** n.b. far above the two seconds that a consumer holds what it cannot commit. */
const ACK_TIMEOUT_MS = 4_000;

/** Every connection of a role, and none of ours. */
const CONNECTIONS_OF_ROLES =
  "FROM pg_stat_activity WHERE application_name LIKE 'ecomarket %' AND pid <> pg_backend_pid() " +
  "AND application_name NOT IN ('ecomarket look', 'ecomarket test')";
const TERMINATE = `SELECT count(pg_terminate_backend(pid)) AS ended ${CONNECTIONS_OF_ROLES}`;
const NO_CONNECTION_LEFT = /too many clients|remaining connection slots/;

async function kill(world: World): Promise<FaultOutcome> {
  return await away(world, "kill -9", ({ primary }) => primary.kill());
}

async function restart(world: World): Promise<FaultOutcome> {
  return await away(world, "stopped", ({ primary }) => primary.stop());
}

async function away(
  world: World,
  what: string,
  end: (servers: PostgresServers) => Promise<void>,
): Promise<FaultOutcome> {
  const servers = serversOf(world);
  const { primary, settings } = servers;
  const before = await primary.pid();
  const noticed = world.logs.email.next("email's complaint about the database", isComplaint);
  await end(servers);
  await noticed;
  await delay(AWAY_MS);
  await primary.start(settings);
  const proof = `${what}, pid ${before} → ${await primary.pid()}`;
  return { proof, endedAt: performance.now(), affected: world.running };
}

/** What a role says of a store that it waits for. */
function isComplaint({ level, message }: { level: string; message: string }): boolean {
  return level.toUpperCase() !== "DEBUG" && message.includes("the database");
}

async function terminate(world: World): Promise<FaultOutcome> {
  const url = serversOf(world).primary.urlOf();
  const proof = await provoke("connections to terminate", async () => {
    const ended = Number((await queryRows(url, TERMINATE))[0]?.ended);
    return ended > 0 ? `${ended} connections terminated by the server` : undefined;
  });
  return { proof, endedAt: performance.now(), affected: world.running };
}

/** Somebody else has every connection that the server can give. */
async function exhaust(world: World): Promise<FaultOutcome> {
  const url = serversOf(world).primary.urlOf();
  const taken: PostgresConnection[] = [];
  const admin = await open(url);
  try {
    const complaint = anyComplaint(world, NO_CONNECTION_LEFT);
    let isTold = false;
    void complaint.then(() => isTold = true, () => {});
    await poll(async () => {
      await admin.query(TERMINATE);
      for (let next; (next = await open(url).catch(() => undefined));) taken.push(next);
      return isTold;
    }, { timeoutMs: 30_000, intervalMs: 200 });
    const told = await complaint;
    await delay(EXHAUSTED_MS);
    return {
      proof: `${taken.length} connections taken; a role: ${told}`,
      endedAt: performance.now(),
      affected: world.running,
    };
  } finally {
    await Promise.all([admin, ...taken].map((connection) => connection.close()));
  }
}

async function open(url: string): Promise<PostgresConnection> {
  const address = parseDatabaseUrl(url);
  const options = { applicationName: "ecomarket test", answerTimeoutMs: 10_000 };
  return await PostgresConnection.open(address, address.hosts[0]!, options);
}

async function anyComplaint(world: World, words: RegExp): Promise<string> {
  const { message } = await Promise.any(
    world.running.map((name) =>
      world.logs[name].next("a complaint about the database", ({ message }) => words.test(message))
    ),
  );
  return words.exec(message)?.[0] ?? message;
}

/** The server is frozen for longer than the broker waits for an ack. */
async function freeze(world: World): Promise<FaultOutcome> {
  const { primary } = serversOf(world);
  const { email } = world.consumers;
  const lowered = await lowerAckTimeout(world.broker.nodes[0]!, ACK_TIMEOUT_MS);
  try {
    await email.kill(); // Its successors' channels have the timeout.
    await world.logs.email.nextEffect();
    const frozenAt = performance.now();
    await primary.freeze(true);
    try {
      await sufferAckTimeout(world.directUrls[0]!, 2);
    } finally {
      await primary.freeze(false);
    }
    const endedAt = performance.now();
    await world.logs.email.nextEffect();
    const frozenMs = Math.round(endedAt - frozenAt);
    const proof = `the database was frozen for ${frozenMs} ms, two ack timeouts of the broker`;
    return { proof, endedAt, affected: world.running };
  } finally {
    await lowered[Symbol.asyncDispose]();
    await email.kill();
  }
}

/** The server takes no more writes, as its operator has set it. */
async function readOnly(world: World): Promise<FaultOutcome> {
  const url = serversOf(world).primary.urlOf();
  const set = async (sql: string) => {
    await queryRows(url, "SELECT 1", sql);
    await queryRows(url, "SELECT pg_reload_conf()");
  };
  const complaint = anyComplaint(world, /read-only/);
  await set("ALTER SYSTEM SET default_transaction_read_only = on");
  try {
    const told = await complaint;
    await delay(EXHAUSTED_MS);
    return { proof: `a role: ${told}`, endedAt: performance.now(), affected: world.running };
  } finally {
    await set("ALTER SYSTEM RESET default_transaction_read_only");
    await until("a server that takes writes", async () => {
      const [row] = await queryRows(url, "SHOW default_transaction_read_only");
      return row?.default_transaction_read_only === "off";
    });
  }
}

function serversOf({ stores: { postgres } }: World): PostgresServers {
  if (!postgres) throw new Error("the stores of this run are not on PostgreSQL");
  return postgres;
}

const ON_POSTGRES = { nodes: 1, store: "postgres" } as const;

/** Faults of the database. */
export const DATABASE_FAULTS: readonly Fault[] = [
  {
    ...ON_POSTGRES,
    name: "database-kill",
    description: "kill -9 of the database",
    inject: kill,
  },
  {
    ...ON_POSTGRES,
    name: "database-restart",
    description: "the database is restarted",
    inject: restart,
  },
  {
    ...ON_POSTGRES,
    name: "database-connections-terminated",
    description: "the database ends all connections",
    inject: terminate,
  },
  {
    ...ON_POSTGRES,
    name: "database-pool-exhausted",
    description: "the database has no connection left to give",
    inject: exhaust,
  },
  {
    ...ON_POSTGRES,
    name: "database-outlasts-ack-timeout",
    description: "the database is frozen for longer than the broker waits for an ack",
    impossible: () => IS_WINDOWS ? "a process cannot be paused on Windows" : undefined,
    inject: freeze,
  },
  {
    ...ON_POSTGRES,
    name: "database-read-only",
    description: "the database takes no writes",
    inject: readOnly,
  },
  ...PROMOTION_FAULTS,
];
