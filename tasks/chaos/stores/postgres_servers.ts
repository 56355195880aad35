/** The PostgreSQL of a run: a primary, its standby, and the link between them, which can be broken. */
import type { PrivatePostgres } from "@ecomarket/setup/postgres/private_postgres";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { startTestPostgres } from "@ecomarket/testbed/postgres/test_postgres";

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
/** What makes a commit wait for the standby. */
const SYNCHRONOUS = { synchronous_standby_names: STANDBY, synchronous_commit: "remote_apply" };

/** A primary and its standby. */
export interface PostgresServers extends AsyncDisposable {
  /** Names both, the primary first. */
  readonly url: string;
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

/** Starts the servers, empty. Disposing of them leaves nothing. */
export async function startPostgresServers(replication: Replication): Promise<PostgresServers> {
  await using cleanup = new AsyncDisposableStack();
  const common = {
    max_connections: String(MAX_CONNECTIONS),
    wal_retrieve_retry_interval: "500ms", // n.b. 5 s by default: so long no commit of ours would end.
  };
  const test = cleanup.use(await startTestPostgres(common));
  const primary = test.server;
  const link = cleanup.use(TcpProxy.before(primary.urlOf()));
  const standby = await test.standby(STANDBY, Number(new URL(link.urlFor(primary.urlOf())).port));
  await standby.start(common);
  const isSynchronous = replication === "remote_apply";
  const settings = isSynchronous ? { ...common, ...SYNCHRONOUS } : common;
  await primary.restart(settings);
  const servers = { replication, primary, standby, link, settings };
  return new Servers(servers, common, cleanup.move());
}

/** n.b. the promoted one has no standby that it could wait for. */
class Servers implements PostgresServers {
  readonly replication: Replication;
  readonly url: string;
  readonly link: TcpProxy;
  primary: PrivatePostgres;
  standby: PrivatePostgres | undefined;
  settings: Readonly<Record<string, string>>;
  readonly #settingsAlone: Readonly<Record<string, string>>;
  readonly #cleanup: AsyncDisposableStack;

  constructor(
    started: Pick<PostgresServers, "replication" | "primary" | "link" | "settings"> & {
      readonly standby: PrivatePostgres;
    },
    settingsAlone: Readonly<Record<string, string>>,
    cleanup: AsyncDisposableStack,
  ) {
    const { replication, primary, standby, link, settings } = started;
    this.replication = replication;
    this.primary = primary;
    this.standby = standby;
    this.link = link;
    this.settings = settings;
    this.#settingsAlone = settingsAlone;
    this.#cleanup = cleanup;
    const { host } = new URL(primary.urlOf());
    this.url = primary.urlOf().replace(host, `${host},127.0.0.1:${standby.port}`);
  }

  async promote(): Promise<void> {
    const { standby } = this;
    if (!standby) throw new Error("there is no standby to promote");
    await standby.promote();
    this.primary = standby;
    this.standby = undefined;
    this.settings = this.#settingsAlone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
