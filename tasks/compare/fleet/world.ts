/** What a comparison is made in: a broker of its own, its subscribers, and the four APIs in turns. */
import { join } from "node:path";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { poll } from "@ecomarket/shared/base/poll";
import type { TestBroker } from "@ecomarket/testbed/broker/test_broker";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { openLoop, type Sample } from "../load/open_loop.ts";
import { signUp } from "../load/signup_client.ts";
import type { LoadPlan, Plan } from "../plan.ts";
import { type ByVariant, forEachVariant, SPECS, type Variant, VARIANTS } from "../variants.ts";
import { Fleet } from "./fleet.ts";
import { type Answers, type Ledger, ledger } from "./ledger.ts";
import { serviceSpec } from "./service_spec.ts";

/** What a world is made of. */
export interface WorldOptions {
  readonly broker: TestBroker;
  /** Its own, for every process's data. */
  readonly directory: string;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  /** Is told what is being done. */
  readonly say: (line: string) => void;
}

/** The four APIs, running. */
export interface Apis extends AsyncDisposable {
  readonly of: ByVariant<SandboxedProcess>;
}

/** One load on one API, and how it was answered. */
export interface Load extends Answers {
  readonly variant: Variant;
  /** With what every email of it begins. */
  readonly prefix: string;
  readonly samples: readonly Sample[];
}

/** How long nothing may happen until what is still missing counts as lost. */
const QUIET_MS = 10_000;

/**
 * Puts a load on any of the four APIs, and tells what the subscribers have lost or doubled of it.
 * Disposing of it ends the subscribers; whoever starts an API ends that.
 */
export class World implements AsyncDisposable {
  readonly plan: Plan;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly broker: TestBroker;
  readonly fleet: Fleet;
  readonly #directory: string;
  #loads = 0;
  #folders = 0;

  constructor({ broker, directory, plan, signal, say }: WorldOptions) {
    this.plan = plan;
    this.signal = signal;
    this.say = say;
    this.broker = broker;
    this.#directory = directory;
    this.fleet = new Fleet(directory, broker.amqpUrl, { latencyMs: plan.subscriberMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
  }

  /** An empty folder of the world's. */
  async newFolder(name: string): Promise<string> {
    const folder = join(this.#directory, `${name}_${++this.#folders}`);
    await Deno.mkdir(folder);
    return folder;
  }

  /** Starts the API of `variant`, without users, from the source in `root`. */
  async startApi(variant: Variant, root?: string): Promise<SandboxedProcess> {
    this.signal.throwIfAborted();
    const { script, permissionSet } = SPECS[variant];
    const dataDir = await this.newFolder(variant);
    return await SandboxedProcess.startReady(serviceSpec({
      name: variant,
      script,
      permissionSet,
      folder: join(dataDir, "users"),
      env: { DATA_DIR: dataDir, AMQP_URL: this.broker.amqpUrl, ...this.#addresses(variant) },
      port: (await freePorts(1))[0]!,
      ...(root === undefined ? {} : { root }),
    }));
  }

  /** Starts all four, and warms them up; those that know their subscribers from the source in `root`. */
  async startApis(root?: string): Promise<Apis> {
    await using cleanup = new AsyncDisposableStack();
    const of = await forEachVariant(async (variant) => {
      const isEdited = SPECS[variant].listEntry !== undefined;
      return cleanup.use(await this.startApi(variant, isEdited ? root : undefined));
    });
    for (const variant of VARIANTS) {
      await this.settle(await this.load(of[variant], variant, this.plan.warmUp));
    }
    const started = cleanup.move();
    return { of, [Symbol.asyncDispose]: () => started.disposeAsync() };
  }

  /** Applies one round of an open load, and waits for the answers. */
  async load(
    api: SandboxedProcess,
    variant: Variant,
    { ratePerSecond, seconds, rounds }: LoadPlan,
  ): Promise<Load> {
    const prefix = this.newPrefix(variant);
    const email = (n: number) => `${prefix}${n}@eco.example`;
    const url = await api.url;
    const samples = await openLoop((n) => signUp(url, email(n)), {
      ratePerSecond,
      count: Math.max(1, Math.round(ratePerSecond * seconds / rounds)),
      signal: this.signal,
    });
    return {
      variant,
      prefix,
      samples,
      accepted: samples.filter(({ ok }) => ok).map(({ n }) => email(n)),
      refused: samples.filter(({ ok }) => !ok).map(({ n }) => email(n)),
    };
  }

  /** A beginning that no other email of this world has. */
  newPrefix(variant: Variant): string {
    return `${variant.toLowerCase()}-${++this.#loads}-`;
  }

  /**
   * Waits until every subscriber has done its part for all accepted signups of `load`, or nothing has
   * happened for ten seconds; then compares.
   */
  async settle(load: Load): Promise<Ledger> {
    let quietSince = performance.now();
    let last = -1;
    const settled = () => {
      const done = this.fleet.recorded(SPECS[load.variant], load.prefix);
      const found = ledger(load, done);
      const total = done.reduce((sum, { size }) => sum + size, 0);
      const now = performance.now();
      if (total !== last) quietSince = now;
      last = total;
      return (found.lost === 0 || now - quietSince > QUIET_MS) && found;
    };
    return (await poll(settled, { timeoutMs: Infinity, signal: this.signal }))!;
  }

  #addresses(variant: Variant): Record<string, string> {
    return SPECS[variant].told === "http" ? { SUBSCRIBER_URLS: this.fleet.urls } : {};
  }
}
