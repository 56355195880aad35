/** A naive consumer as a child process that a lesson can watch, hold up, and kill. */
import { readLines } from "@ecomarket/shared/process/text_lines";
import { PROJECT_ROOT, sandboxFlags } from "@ecomarket/testbed/processes/role_process";
import { LessonError, WAIT_TIMEOUT_MS } from "./lesson_error.ts";

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

interface Listener {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/** See the file's first line. */
export class NaiveProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #said: string[] = [];
  readonly #listeners = new Set<Listener>();
  #hasEnded = false;

  private constructor(readonly script: NaiveScript, { amqpUrl, dataDir, pause }: NaiveOptions) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "-P=naive-consumer",
        ...sandboxFlags(dataDir),
        `tasks/lessons/naive/${script}.ts`,
        dataDir,
        ...(pause ? ["--pause"] : []),
      ],
      cwd: PROJECT_ROOT,
      env: { AMQP_URL: amqpUrl },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts `script`. */
  static start(script: NaiveScript, options: NaiveOptions): NaiveProcess {
    return new NaiveProcess(script, options);
  }

  /** How often it was given an event so far. */
  get deliveries(): number {
    return this.#said.filter((line) => line.startsWith("delivery ")).length;
  }

  /** Resolves once it was given `count` deliveries. */
  async delivered(count: number): Promise<void> {
    await this.#heard(`delivery ${count}`);
  }

  /** Resolves once it is in the middle of the event `id`, and waits there. */
  async handling(id: string): Promise<void> {
    await this.#heard(`handling ${id}`);
  }

  /** Resolves once the effect of the event `id` is committed. */
  async done(id: string): Promise<void> {
    await this.#heard(`done ${id}`);
  }

  /** Lets it finish the event that it is in the middle of. */
  async goOn(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("go on\n"));
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
    await this.#input.close().catch(() => {}); // Its other end is gone.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /**
   * Resolves once it has said `line`, now or before.
   *
   * @throws {LessonError} when it ends before, or is late.
   */
  #heard(line: string): Promise<void> {
    const what = `"${line}" of the naive consumer ${this.script}`;
    if (this.#said.includes(line)) return Promise.resolve();
    if (this.#hasEnded) return Promise.reject(this.#ended());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(LessonError.late(what)), WAIT_TIMEOUT_MS);
    this.#listeners.add({ line, resolve, reject });
    return promise.finally(() => clearTimeout(timer));
  }

  async #read(): Promise<void> {
    for await (const lines of readLines(this.#child.stdout)) {
      for (const { text } of lines) {
        this.#said.push(text);
        for (const listener of this.#listeners) {
          if (listener.line !== text) continue;
          this.#listeners.delete(listener);
          listener.resolve();
        }
      }
    }
    await this.#child.status;
    this.#hasEnded = true;
    for (const { reject } of this.#listeners) reject(this.#ended());
  }

  #ended(): Error {
    return new LessonError(`The naive consumer ${this.script} ended by itself`);
  }
}
