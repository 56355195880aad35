/** All instances of one consumer: what is done to the consumer is done to each of them. */
import type { LogWatch } from "@ecomarket/testbed/processes/log_watch";
import type { Supervisor } from "./supervisor.ts";

/** One instance, and what it alone says. */
export interface Member {
  readonly supervisor: Supervisor;
  readonly log: LogWatch;
}

/** The instances of one consumer, each kept alive by a supervisor of its own. */
export class Crew implements AsyncDisposable {
  readonly name: string;
  readonly first: Member;
  /** All but the {@link first}: none where one instance is all there is. */
  readonly others: readonly Member[];

  constructor(name: string, [first, ...others]: readonly [Member, ...Member[]]) {
    this.name = name;
    this.first = first;
    this.others = others;
  }

  /** Every instance, the {@link first} included. */
  get members(): readonly Member[] {
    return [this.first, ...this.others];
  }

  /** Starts each. Resolves once all do their work. */
  async start(): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.start()));
  }

  /** Ends each in order, for good. @returns how one ended that did not end with 0, if any did not. */
  async stop(): Promise<Deno.CommandStatus> {
    const ends = await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()));
    return ends.find(({ success }) => !success) ?? ends[0]!;
  }

  /** `kill -9` of all at once. Resolves, with how the first ended, once all successors do their work. */
  async kill(): Promise<Deno.CommandStatus> {
    const ends = await Promise.all(this.#supervisors.map((supervisor) => supervisor.kill()));
    return ends[0]!;
  }

  /** Resolves once each instance does its work, after deaths. */
  async successorReady(): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.successorReady()));
  }

  /** How every process ended that was not asked to. */
  get deaths(): readonly Deno.CommandStatus[] {
    return this.#supervisors.flatMap(({ deaths }) => deaths);
  }

  /** When the youngest process was started, in `performance.now()` milliseconds. */
  get startedAt(): number {
    return Math.max(...this.#supervisors.map(({ startedAt }) => startedAt));
  }

  /** Whether any instance is kept running. */
  get isRunning(): boolean {
    return this.#supervisors.some(({ isRunning }) => isRunning);
  }

  /** Effects that all but the {@link first} have committed so far. */
  get handledByOthers(): number {
    return this.others.reduce((sum, { log }) => sum + log.handled, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor[Symbol.asyncDispose]()));
  }

  get #supervisors(): readonly Supervisor[] {
    return this.members.map(({ supervisor }) => supervisor);
  }
}
