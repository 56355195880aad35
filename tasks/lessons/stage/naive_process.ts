/** A naive consumer as a process that a lesson can watch, hold up, and kill. */
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";

/** A script in `naive/`. */
export type NaiveScript = "auto_ack" | "hot_loop" | "no_inbox" | "versions";

/** How a naive consumer runs. */
export interface NaiveOptions {
  readonly amqpUrl: string;
  /** Where it keeps its store. It may read and write there, and nowhere else. */
  readonly dataDir: string;
  /** Whether it waits, at each event, until it is told to go on. */
  readonly pause: boolean;
}

/**
 * Runs one naive consumer, tells how far it is, and can hold it up in the middle of an event.
 * Disposing of it kills the process.
 */
export class NaiveProcess extends SandboxedProcess {
  constructor(script: NaiveScript, { amqpUrl, dataDir, pause }: NaiveOptions) {
    super({
      name: `The naive consumer ${script}`,
      script: `tasks/lessons/naive/${script}.ts`,
      permissionSet: "naive-consumer",
      folder: dataDir,
      args: [dataDir, ...(pause ? ["--pause"] : [])],
      env: { AMQP_URL: amqpUrl },
    });
  }

  /** How often it was given an event so far. */
  get deliveries(): number {
    return this.lines.filter((line) => line.startsWith("delivery ")).length;
  }

  /** Resolves once it was given `count` deliveries. */
  async delivered(count: number): Promise<void> {
    await this.said(`delivery ${count}`);
  }

  /** Resolves once it is in the middle of the event `id`, and waits there. */
  async handling(id: string): Promise<void> {
    await this.said(`handling ${id}`);
  }

  /** Resolves once the effect of the event `id` is committed. */
  async done(id: string): Promise<void> {
    await this.said(`done ${id}`);
  }

  /** Lets it finish the event that it is in the middle of. */
  async goOn(): Promise<void> {
    await this.tell("go on");
  }

  /** `kill -9`, also where a lesson ends before it: there is nothing that it should finish. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
