/** Keeps a process running, as systemd or Kubernetes would: what dies is started again. */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@ecomarket/shared/base/poll";
import type { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";

/** How long a process stays down before it is started again. */
const RESTART_DELAY_MS = 100;
/** How long a process may take to be followed by one that does its work, and that one may die as well. */
const SUCCESSOR_TIMEOUT_MS = 120_000;

/** Starts its process again whenever that dies unasked, and keeps count of the deaths. */
export class Supervisor implements AsyncDisposable {
  readonly #spawn: () => SandboxedProcess;
  #current: SandboxedProcess | undefined;
  #wanted = false;
  #watching = Promise.resolve();
  /** How each process ended that was not asked to. */
  readonly deaths: Deno.CommandStatus[] = [];
  /** When the process that runs now was started, in `performance.now()` milliseconds. */
  startedAt = 0;

  constructor(readonly name: string, spawn: () => SandboxedProcess) {
    this.#spawn = spawn;
  }

  /** The process that runs now. */
  get current(): SandboxedProcess {
    if (!this.#current) throw new Error(`${this.name} does not run`);
    return this.#current;
  }

  /** Starts it, and keeps it running until {@link stop}. Resolves once it does its work. */
  async start(): Promise<void> {
    this.#wanted = true;
    const process = this.#start();
    this.#watching = this.#watch(process);
    await process.ready;
  }

  /** Ends it in order, for good. */
  async stop(): Promise<Deno.CommandStatus> {
    this.#wanted = false;
    const status = await this.current.stop();
    await this.#watching;
    return status;
  }

  /** `kill -9`. Resolves, with how it ended, once its successor does its work. */
  async kill(): Promise<Deno.CommandStatus> {
    const victim = this.current;
    const status = await victim.kill();
    await this.successorReady(victim);
    return status;
  }

  /** Whether it is kept running. */
  get isRunning(): boolean {
    return this.#wanted;
  }

  /** Resolves once a process does its work, after deaths: another one than `victim`. */
  async successorReady(victim?: SandboxedProcess): Promise<void> {
    const isReady = async () => this.#current !== victim && await this.#isReady();
    await until(`another ${this.name}`, isReady, {
      timeoutMs: SUCCESSOR_TIMEOUT_MS,
      intervalMs: 10,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wanted = false;
    await this.#current?.stop();
    await this.#watching;
  }

  async #isReady(): Promise<boolean> {
    return await this.#current!.ready.then(() => true, () => false);
  }

  #start(): SandboxedProcess {
    this.startedAt = performance.now();
    return this.#current = this.#spawn();
  }

  async #watch(process: SandboxedProcess): Promise<void> {
    for (;;) {
      const status = await process.status;
      if (!this.#wanted || status.success) return; // Who ends in order has done his work.
      this.deaths.push(status);
      await delay(RESTART_DELAY_MS);
      if (!this.#wanted) return;
      process = this.#start();
    }
  }
}
