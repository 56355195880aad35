/** The PostgreSQL of a run: a primary, its standby, and the link between them, which can be broken. */
import type { PrivatePostgres } from "@ecomarket/setup/postgres/private_postgres";
import { API_SCHEMA } from "@ecomarket/publisher/api/postgres_api_store";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { startTestPostgres } from "@ecomarket/testbed/postgres/test_postgres";
import { storesReader } from "@ecomarket/testbed/stores/stores_reader";
import type { RunStores } from "./run_stores.ts";

/** When a commit is told to whoever waits for it. */
export type Replication =
  /** Once the standby has applied it, too: `synchronous_commit = remote_apply`. */
  | "remote_apply"
  /** Once the primary has it on its disk: the standby follows when it can. */
  | "asynchronous";
/** Both. */
export const REPLICATIONS: readonly Replication[] = ["remote_apply", "asynchronous"];

/** Enough for two of each role, and few enough to use up. */
const MAX_CONNECTIONS = 90;
const STANDBY = "standby";

/** A primary and its standby. */
export interface PostgresServers {
  readonly replication: Replication;
  /** What the primary runs with now. */
  readonly settings: Readonly<Record<string, string>>;
  /** The server that takes what is written. */
  readonly primary: PrivatePostgres;
  /** Follows the primary until it is promoted. */
  readonly standby: PrivatePostgres | undefined;
  /** Between the two. */
  readonly link: TcpProxy;
  /** Makes the standby the primary. The old one must be gone. */
  promote(): Promise<void>;
}

/** Starts the servers, empty. They go with what is returned. */
export async function postgresStores(replication: Replication): Promise<RunStores> {
  await using cleanup = new AsyncDisposableStack();
  const common = {
    max_connections: String(MAX_CONNECTIONS),
    wal_retrieve_retry_interval: "500ms", // n.b. 5 s by default: so long no commit of ours would end.
  };
  const test = cleanup.use(await startTestPostgres(common));
  const link = cleanup.use(TcpProxy.before(test.server.urlOf()));
  const standby = await test.standby(
    STANDBY,
    Number(new URL(link.urlFor(test.server.urlOf())).port),
  );
  await standby.start(common);
  const settings = replication === "asynchronous" ? common : {
    ...common,
    synchronous_standby_names: STANDBY,
    synchronous_commit: "remote_apply",
  };
  await test.server.restart(settings);
  const servers = new Servers(replication, test.server, standby, link, settings, common);
  const { host } = new URL(test.server.urlOf());
  const databaseUrl = test.server.urlOf().replace(host, `${host},127.0.0.1:${standby.port}`);
  const reader = cleanup.use(await storesReader(() => "", parseDatabaseUrl(databaseUrl)));
  const owned = cleanup.move();
  return {
    kind: "postgres",
    instances: 2,
    usersStore: API_SCHEMA,
    env: { DATABASE_URL: databaseUrl },
    reader,
    postgres: servers,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

class Servers implements PostgresServers {
  constructor(
    readonly replication: Replication,
    public primary: PrivatePostgres,
    public standby: PrivatePostgres | undefined,
    readonly link: TcpProxy,
    public settings: Readonly<Record<string, string>>,
    readonly promotedSettings: Readonly<Record<string, string>>,
  ) {}

  async promote(): Promise<void> {
    const { standby } = this;
    if (!standby) throw new Error("there is no standby to promote");
    await standby.promote();
    this.primary = standby;
    this.standby = undefined;
    this.settings = this.promotedSettings;
  }
}
