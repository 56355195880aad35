/** Users APIs on one store, each with its relay, and clients who go to another one when theirs fails. */
import { z } from "zod";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { until } from "@ecomarket/shared/base/poll";
import { startRole, usersApi } from "@ecomarket/testbed/processes/roles";
import { ApiLoad, type ApiLoadOptions } from "./api_load.ts";
import { Supervisor } from "./supervisor.ts";

/** Where the APIs run, and how many. */
export interface UsersApisOptions {
  readonly amqpUrls: readonly string[];
  /** The API's store is in the folder `users` of it, unless `env` names a database. */
  readonly dataDir: string;
  /** More than one take a database. @default 1 */
  readonly instances?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** One API, over all of its processes. */
export interface ApiInstance {
  readonly supervisor: Supervisor;
  /** Whether the process that runs now has a relay that publishes. */
  isRelaying(): boolean;
}

/** How long the outbox may take to run empty. */
const DRAIN_TIMEOUT_MS = 120_000;
const backlogSchema = z.object({ backlog: z.object({ events: z.number() }) });

/** APIs that are kept alive, and their clients. Disposing of it ends them all. */
export class UsersApis implements AsyncDisposable {
  readonly instances: readonly ApiInstance[];
  readonly load: ApiLoad;
  readonly #urls: readonly string[];

  private constructor(instances: readonly ApiInstance[], load: ApiLoad, urls: readonly string[]) {
    this.instances = instances;
    this.load = load;
    this.#urls = urls;
  }

  /** Starts the APIs, and the clients once all of them listen. */
  static async start(options: UsersApisOptions, load?: ApiLoadOptions): Promise<UsersApis> {
    const { instances: count = 1, ...role } = options;
    await using cleanup = new AsyncDisposableStack();
    const ports = await freePorts(count);
    const instances = ports.map((port) => keptAlive(port, role));
    for (const { supervisor } of instances) cleanup.use(supervisor);
    await Promise.all(instances.map(({ supervisor }) => supervisor.start()));
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const apis = new UsersApis(instances, ApiLoad.start(urls, load), urls);
    cleanup.move();
    return apis;
  }

  /**
   * Lets the clients finish and the outbox run empty, and ends the APIs in order.
   *
   * @throws {Error} when an API answers anything unexpected or does not end with 0, or events are left
   *   after two minutes.
   */
  async finish(): Promise<void> {
    await this.load.finish();
    await this.#drained();
    const ends = await Promise.all(this.instances.map(({ supervisor }) => supervisor.stop()));
    const failed = ends.find(({ code }) => code !== 0);
    if (failed) throw new Error(`The API ended with ${failed.code} when it was asked to stop`);
  }

  /** Has the clients rest until `load.resume()`. Resolves once what they began is published. */
  async pause(): Promise<void> {
    await this.load.pause();
    await this.#drained();
  }

  async #drained(): Promise<void> {
    await Promise.all(this.#urls.map(untilOutboxIsEmpty));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load[Symbol.asyncDispose]();
    await Promise.all(
      this.instances.map(({ supervisor }) => supervisor[Symbol.asyncDispose]()),
    );
  }
}

function keptAlive(port: number, role: Omit<UsersApisOptions, "instances">): ApiInstance {
  let life = { isRelaying: false };
  const supervisor = new Supervisor("users-api", () => {
    const own = { isRelaying: false };
    life = own;
    return startRole(usersApi(port), {
      ...role,
      onRecord({ state }) {
        if (state === "relaying") own.isRelaying = true;
      },
    });
  });
  return { supervisor, isRelaying: () => life.isRelaying };
}

function untilOutboxIsEmpty(url: string): Promise<void> {
  return until("an empty outbox", async () => {
    const { backlog } = backlogSchema.parse(await (await fetch(`${url}/readyz`)).json());
    return backlog.events === 0;
  }, { timeoutMs: DRAIN_TIMEOUT_MS });
}
