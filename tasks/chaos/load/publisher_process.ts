/** The chaos publisher as a child process in its sandbox, and how it is talked to. */
import type { Level } from "@ecomarket/publisher/levels/levels";
import { stopProcess } from "@ecomarket/shared/process/platform";
import { readLines } from "@ecomarket/shared/process/text_lines";
import {
  type LogRecord,
  parseRecord,
  PROJECT_ROOT,
  sandboxFlags,
} from "@ecomarket/testbed/processes/role_process";
import type { Supervised } from "./supervisor.ts";

/** What the publisher shall publish, where, and how fast. */
export interface PublisherProcessOptions {
  readonly amqpUrls: readonly string[];
  readonly journalDir: string;
  readonly seed: number;
  readonly events: number;
  readonly ratePerSecond: number;
  readonly level: Level;
  readonly onRecord: (record: LogRecord) => void;
}

/** One life of the publisher. */
export class PublisherProcess implements Supervised {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  readonly #said = new Set<string>();
  readonly #waiting = new Set<() => void>();
  /** It publishes from its first moment. */
  readonly ready = Promise.resolve();

  constructor(options: PublisherProcessOptions) {
    const { journalDir, seed, events, ratePerSecond, level, amqpUrls, onRecord } = options;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "-P=chaos-publisher",
        ...sandboxFlags(journalDir),
        "tasks/chaos/load/chaos_publisher.ts",
        `--journal=${journalDir}`,
        `--seed=${seed}`,
        `--events=${events}`,
        `--rate=${ratePerSecond}`,
        `--level=${level}`,
      ],
      cwd: PROJECT_ROOT,
      env: { AMQP_URL: amqpUrls.join(","), LOG_FORMAT: "json", LOG_LEVEL: "debug" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([this.#readWords(), this.#readLog(onRecord)]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Sends one line to it. */
  async tell(command: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
  }

  /** Resolves once it has said `word`, now or before. */
  async said(word: string): Promise<void> {
    while (!this.#said.has(word)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async stop(graceMs = 15_000): Promise<Deno.CommandStatus> {
    const status = await stopProcess(this.#child, graceMs);
    await this.#input.close().catch(() => {});
    await this.#reading;
    return status;
  }

  async #readWords(): Promise<void> {
    for await (const lines of readLines(this.#child.stdout)) {
      for (const { text } of lines) this.#said.add(text);
      for (const resolve of this.#waiting) resolve();
      this.#waiting.clear();
    }
  }

  async #readLog(onRecord: (record: LogRecord) => void): Promise<void> {
    for await (const lines of readLines(this.#child.stderr)) {
      for (const { text } of lines) {
        onRecord(parseRecord(text) ?? { message: text, level: "ERROR" });
      }
    }
  }
}
