/**
 * The subscribers of a comparison: each of them once as an HTTP service, for the coupled one to call,
 * and once as a process with a queue, for the other three.
 */
import { join } from "node:path";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { startRole } from "@ecomarket/testbed/processes/roles";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import type { VariantSpec } from "../variants.ts";
import { recordedEmails } from "./recorded_emails.ts";
import { serviceSpec } from "./service_spec.ts";

/** The workshop's three, and who may join them, in this order. */
export const SUBSCRIBER_NAMES = [
  "email",
  "loyalty",
  "analytics",
  "audit",
  "crm",
  "fraud",
  "search",
  "partners",
  "billing",
  "newsletter",
] as const;

/** How a subscriber behaves. */
export interface BehaviourOptions {
  readonly latencyMs: number;
  /** It fails once in so many events. @default never */
  readonly failEvery?: number;
}

/** Short, so that a failed attempt does not make the comparison longer. */
const RETRY_DELAYS_MS = "200,400,800";
/** Enough that a subscriber of 200 ms an event keeps up with a thousand a second. */
const PREFETCH = "200";

interface Member {
  readonly port: number;
  http?: SandboxedProcess;
  queue?: SandboxedProcess;
}

/**
 * Starts, slows down and stops each subscriber in both of its forms at once. Disposing of it ends
 * every process.
 */
export class Fleet implements AsyncDisposable {
  readonly #members = new Map<string, Member>();
  readonly #directory: string;
  readonly #amqpUrl: string;
  readonly #normal: BehaviourOptions;
  /** How often a subscriber with a queue has put an event off after a failure. */
  retries = 0;

  constructor(directory: string, amqpUrl: string, normal: BehaviourOptions) {
    this.#directory = directory;
    this.#amqpUrl = amqpUrl;
    this.#normal = normal;
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** Where the HTTP services listen, as the coupled one is told it. */
  get urls(): string {
    return [...this.#members].map(([name, { port }]) => `${name}=http://127.0.0.1:${port}/`)
      .join(",");
  }

  /** Adds the next subscribers until there are `count`. Resolves once all do their work. */
  async growTo(count: number): Promise<void> {
    const newcomers = SUBSCRIBER_NAMES.slice(this.#members.size, count);
    const ports = await freePorts(newcomers.length);
    newcomers.forEach((name, n) => this.#members.set(name, { port: ports[n]! }));
    // n.b. no more than two at once: starting a process is work.
    for (const name of newcomers) await this.start(name);
  }

  /** Starts the two processes of `name`, which stand still. */
  async start(name: string, behaviour: BehaviourOptions = this.#normal): Promise<void> {
    const member = this.#member(name);
    const env = {
      SUBSCRIBER: name,
      LATENCY_MS: String(behaviour.latencyMs),
      FAIL_EVERY: behaviour.failEvery === undefined ? "" : String(behaviour.failEvery),
    };
    member.queue = startRole({
      name,
      script: "tasks/compare/baselines/subscriber_queue.ts",
      permissionSet: "compare-queue",
      folder: name,
    }, {
      amqpUrls: [this.#amqpUrl],
      dataDir: join(this.#directory, "queue"),
      env: { ...env, LOG_LEVEL: "info", PREFETCH, RETRY_DELAYS_MS },
      onRecord: ({ outcome }) => {
        if (outcome === "retried") this.retries++;
      },
    });
    member.http = await SandboxedProcess.startReady(serviceSpec({
      name: `${name} over HTTP`,
      script: "tasks/compare/baselines/subscriber_http.ts",
      permissionSet: "compare-http",
      folder: join(this.#directory, "http", name),
      port: member.port,
      env: { ...env, DATA_DIR: join(this.#directory, "http") },
    }));
    await member.queue.ready;
  }

  /** Stops the two processes of `name`. */
  async stop(name: string): Promise<void> {
    const member = this.#member(name);
    await Promise.all([member.http?.stop(), member.queue?.stop()]);
    delete member.http;
    delete member.queue;
  }

  /** Starts the two processes of `name` again, with another behaviour. */
  async restart(name: string, behaviour?: BehaviourOptions): Promise<void> {
    await this.stop(name);
    await this.start(name, behaviour);
  }

  /** For each subscriber, the emails with this prefix for which it has done its part. */
  recorded({ told }: VariantSpec, prefix: string): ReadonlySet<string>[] {
    return this.names.map((name) => recordedEmails(join(this.#directory, told, name), prefix));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.names.map((name) => this.stop(name)));
  }

  #member(name: string): Member {
    const member = this.#members.get(name);
    if (!member) throw new Error(`There is no subscriber ${name}`);
    return member;
  }
}
