/**
 * What a chaos run is made of: a private broker, a link that can be broken, the real publisher and
 * the real consumers in their sandboxes, each kept alive by a supervisor, and what they say.
 */
import { join } from "node:path";
import type { ChannelModel } from "amqplib";
import type { Level } from "@ecomarket/publisher/levels/levels";
import type { PrivateCluster } from "@ecomarket/setup/node/private_cluster";
import type { PrivateNode } from "@ecomarket/setup/node/private_node";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { type QueueStatus, queueStatus } from "@ecomarket/shared/broker/queue_status";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import {
  declareTopology,
  fullTopology,
  SUBSCRIBER_QUEUES,
  type SubscriberName,
} from "@ecomarket/shared/contract/topology";
import { createRoleUsers, type RoleUsers } from "@ecomarket/testbed/broker/role_users";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { type ConsumerName, CONSUMERS, startRole } from "@ecomarket/testbed/processes/roles";
import { LogWatch } from "@ecomarket/testbed/processes/log_watch";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import type { Answer } from "./load/api_load.ts";
import { Crew, type Member } from "./load/crew.ts";
import { startPublisher } from "./load/start_publisher.ts";
import { Supervisor } from "./load/supervisor.ts";
import { UsersApis } from "./load/users_apis.ts";
import type { RunStores } from "./stores/run_stores.ts";

/** Retries of a run come quickly: it is the road that is tested, not the patience. */
export const CHAOS_DELAYS_MS: readonly number[] = [50, 100, 150];
/** The load on APIs that run all the time: enough to always have a registration under way. */
const STEADY_LOAD = { clients: 2, pauseMs: 100 };

/** A broker, of one node or of three, that belongs to the run. */
export interface ChaosBroker extends AsyncDisposable {
  readonly nodes: readonly PrivateNode[];
  /** Where it has more than one node. */
  readonly cluster?: PrivateCluster;
  readonly managementUrl: string;
}

/** What a run shall do. */
export interface WorldOptions {
  readonly broker: ChaosBroker;
  readonly stores: RunStores;
  readonly directory: string;
  readonly seed: number;
  readonly events: number;
  readonly ratePerSecond: number;
  readonly level: Level;
  /** How often the users API is killed, where that is a fault of the run. */
  readonly apiKills: number;
}

/**
 * All that one run needs, with a supervisor for each role. Disposing of it ends every process, and
 * does what its faults have deferred.
 */
export class World implements AsyncDisposable {
  readonly broker: ChaosBroker;
  readonly stores: RunStores;
  readonly directory: string;
  readonly management: ManagementClient;
  /** One for each node of the broker: every role reaches it by this way only. */
  readonly proxies: readonly TcpProxy[];
  readonly consumers: Readonly<Record<ConsumerName, Crew>>;
  readonly publisher: Supervisor;
  /** Of each role, all of its instances together. */
  readonly logs: Readonly<Record<ConsumerName | "publisher", LogWatch>>;
  /** The users APIs, where they run all the time: on a store that several share. */
  apis: UsersApis | undefined;
  /** What clients of the users API were told. */
  readonly apiAnswers: Answer[] = [];
  readonly apiKills: number;
  readonly #users: RoleUsers;
  #cleanup: AsyncDisposableStack;

  private constructor(options: WorldOptions, users: RoleUsers, cleanup: AsyncDisposableStack) {
    const { broker, directory, seed, events, ratePerSecond, level } = options;
    this.broker = broker;
    this.stores = options.stores;
    this.directory = directory;
    this.management = new ManagementClient(broker.managementUrl);
    this.proxies = broker.nodes.map((node) => cleanup.use(TcpProxy.before(node.amqpUrl)));
    this.logs = {
      email: new LogWatch(),
      loyalty: new LogWatch(),
      analytics: new LogWatch(),
      "dead-letter": new LogWatch(),
      publisher: new LogWatch(),
    };
    this.#users = users;
    this.apiKills = options.apiKills;
    const crew = (name: ConsumerName) => {
      const others = Array.from({ length: this.stores.instances - 1 }, () => this.#member(name));
      return cleanup.use(new Crew(name, [this.#member(name), ...others]));
    };
    this.consumers = {
      email: crew("email"),
      loyalty: crew("loyalty"),
      analytics: crew("analytics"),
      "dead-letter": crew("dead-letter"),
    };
    const publisherOptions = {
      amqpUrls: this.urlsOf("publisher"),
      journalDir: this.journalDir,
      seed,
      events,
      ratePerSecond,
      level,
      onRecord: this.logs.publisher.onRecord,
    };
    this.publisher = cleanup.use(
      new Supervisor("publisher", () => startPublisher(publisherOptions)),
    );
    this.#cleanup = cleanup;
  }

  /** Declares the topology. Nothing runs yet. */
  static async create(options: WorldOptions): Promise<World> {
    await using cleanup = new AsyncDisposableStack();
    const { managementUrl, nodes } = options.broker;
    // n.b. they go with the broker, which is the run's: nothing is left to delete.
    const users = await createRoleUsers(
      new ManagementClient(managementUrl),
      nodes.map(({ amqpUrl }) => amqpUrl),
    );
    const world = new World(options, users, cleanup);
    await Deno.mkdir(world.journalDir, { recursive: true });
    await withConnection(world.directUrls, "chaos", async (connection) => {
      await declareTopology(await connection.createChannel(), fullTopology(CHAOS_DELAYS_MS));
    });
    world.#cleanup = cleanup.move();
    return world;
  }

  /** One instance of a consumer. */
  #member(name: ConsumerName): Member {
    const log = new LogWatch();
    const supervisor = new Supervisor(name, () =>
      startRole(CONSUMERS[name], {
        amqpUrls: this.urlsOf(name),
        dataDir: this.directory,
        env: {
          ...this.stores.env,
          RETRY_DELAYS_MS: CHAOS_DELAYS_MS.join(","),
          SIMULATE_FAILURES: "1",
        },
        onRecord: (record) => {
          log.onRecord(record);
          this.logs[name].onRecord(record);
        },
      }));
    return { supervisor, log };
  }

  /** Starts the users APIs and their clients, where they run all the time. */
  async startApis(): Promise<void> {
    const { instances, env } = this.stores;
    if (instances === 1) return;
    const where = { amqpUrls: this.urlsOf("users-api"), dataDir: this.directory, instances, env };
    this.apis = this.#cleanup.use(await UsersApis.start(where, STEADY_LOAD));
  }

  /** Has them finish what is under way, and end in order. What their clients were told is kept. */
  async finishApis(): Promise<void> {
    await this.apis?.finish();
    this.apiAnswers.push(...this.apis?.load.answers ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  /** Has `action` done when the world ends, whatever happens until then. */
  defer(action: () => Promise<void>): void {
    this.#cleanup.defer(action);
  }

  /** How `role` connects: as its own user, through the proxies. */
  urlsOf(role: string): string[] {
    return this.#users.urlsOf(role).map((url, n) => this.proxies[n]!.urlFor(url));
  }

  /** Past the proxies, for looking at the broker while the link is broken. */
  get directUrls(): string[] {
    return this.broker.nodes.map((node) => node.amqpUrl);
  }

  get journalDir(): string {
    return join(this.directory, "journal");
  }

  /** Where each role keeps its data. */
  readonly dataDirOf = (name: string): string => join(this.directory, name);

  /** The subscribers that run now. */
  get running(): SubscriberName[] {
    return SUBSCRIBERS.filter((name) => this.consumers[name].isRunning);
  }

  /** The state of these queues. Tries until the broker answers, at most `timeoutMs`. */
  async queues(
    names: readonly string[],
    timeoutMs = 30_000,
  ): Promise<Record<string, QueueStatus>> {
    const look = (connection: ChannelModel) => queueStatus(connection, names);
    return await withConnection(this.directUrls, "chaos", look, timeoutMs);
  }

  /** Messages that wait for `subscriber`, its retries included. */
  async backlog(subscriber: SubscriberName): Promise<number> {
    const queue = SUBSCRIBER_QUEUES[subscriber];
    const retries = CHAOS_DELAYS_MS.map((delayMs) => `${queue}.retry.${delayMs}`);
    const found = await this.queues([queue, ...retries]);
    return Object.values(found).reduce((sum, status) => sum + (status?.ready ?? 0), 0);
  }
}
