/**
 * One process of ours, in the sandbox in which a person would run it: when it does its work, what it
 * says and logs, what it can be told, and how it ends.
 */
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { LateError, poll } from "@ecomarket/shared/base/poll";
import { stopProcess } from "@ecomarket/shared/process/platform";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { parseRecord } from "./log_record.ts";
import { type ProcessSpec, sandboxedCommand } from "./process_spec.ts";

/** A process ended, or was not ready in time, while somebody waited for what it should do. */
export class ProcessError extends EcoMarketError {
  override readonly code = "PROCESS_FAILED";
}

/** By which a log says that its process does its work now. */
const READY_STATES = new Set(["consuming", "listening", "publishing"]);
/** How long {@link ProcessSpec.readyUrl} may take to answer. */
const START_TIMEOUT_MS = 30_000;
/** How long a line is waited for. */
const SAY_TIMEOUT_MS = 60_000;
/** How many lines that are no records are kept, for when it ends unasked. */
const LAST_WORDS = 20;

interface Listener {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/** A running process of ours. Disposing of it asks it to stop, and ends it when it does not. */
export class SandboxedProcess implements AsyncDisposable {
  readonly name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #ready = Promise.withResolvers<{ readonly url?: string | undefined }>();
  readonly #isOver: Promise<void>;
  readonly #said: string[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #lastWords: string[] = [];
  #end: ProcessError | undefined;

  /** Starts it. */
  constructor(spec: ProcessSpec) {
    this.name = spec.name;
    this.#child = sandboxedCommand(spec).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#ready.promise.catch(() => {}); // Whoever waits for it hears of it.
    this.#isOver = this.#follow(spec);
  }

  /** Starts it. Resolves once it does its work; one that does not is stopped, and the reason thrown. */
  static async startReady(spec: ProcessSpec): Promise<SandboxedProcess> {
    const started = new SandboxedProcess(spec);
    try {
      await started.ready;
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves once it does its work for the first time; rejects when it ends before. */
  get ready(): Promise<unknown> {
    return this.#ready.promise;
  }

  /** The URL at which it serves, for one that does. Rejects when it ends before. */
  get url(): Promise<string> {
    return this.#ready.promise.then(({ url }) => url ?? "");
  }

  /** How it ended, once it has. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** The lines of its standard output so far. */
  get lines(): readonly string[] {
    return this.#said;
  }

  /** Writes one line to its standard input. */
  async tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /**
   * Resolves once it has written `line` to its standard output, now or before.
   *
   * @throws {ProcessError} when it ends before; {LateError} when it takes longer than `timeoutMs`.
   */
  said(line: string, timeoutMs: number = SAY_TIMEOUT_MS): Promise<void> {
    if (this.#said.includes(line)) return Promise.resolve();
    if (this.#end) return Promise.reject(this.#end);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const listener = { line, resolve, reject };
    const late = new LateError(`"${line}" of ${this.name}`, timeoutMs);
    const timer = setTimeout(() => reject(late), timeoutMs);
    this.#listeners.add(listener);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    });
  }

  /** Asks it to finish what is in flight and end; ends it after `graceMs`. */
  async stop(graceMs = 15_000): Promise<Deno.CommandStatus> {
    const status = await stopProcess(this.#child, graceMs);
    await this.#isOver;
    return status;
  }

  /** Ends it at once, wherever it is: `kill -9`. */
  async kill(): Promise<Deno.CommandStatus> {
    return await this.stop(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #follow({ readyUrl, onRecord, onLine }: ProcessSpec): Promise<void> {
    const asking = readyUrl === undefined ? undefined : this.#ask(readyUrl);
    await Promise.all([
      this.#readOutput(onLine),
      this.#readLog(onRecord, onLine, asking === undefined),
    ]);
    const { code, signal } = await this.#child.status;
    await this.#input.close().catch(() => {}); // Its other end is gone.
    this.#end = this.#failure(`ended (${signal ?? code})`);
    this.#ready.reject(this.#end);
    for (const { reject } of this.#listeners) reject(this.#end);
    await asking;
  }

  async #readOutput(onLine: ProcessSpec["onLine"]): Promise<void> {
    for await (const lines of readLines(this.#child.stdout)) {
      for (const line of lines) {
        const { text } = line;
        onLine?.(line);
        this.#said.push(text);
        for (const listener of this.#listeners) if (listener.line === text) listener.resolve();
      }
    }
  }

  async #readLog(
    onRecord: ProcessSpec["onRecord"],
    onLine: ProcessSpec["onLine"],
    tellsReady: boolean,
  ): Promise<void> {
    for await (const lines of readLines(this.#child.stderr)) {
      for (const line of lines) {
        const { text } = line;
        onLine?.(line);
        const record = parseRecord(text);
        if (!record) {
          this.#lastWords.push(text);
          this.#lastWords.splice(0, this.#lastWords.length - LAST_WORDS);
          continue;
        }
        if (tellsReady && READY_STATES.has(record.state ?? "")) this.#ready.resolve(record);
        onRecord?.(record);
      }
    }
  }

  /** Asks `readyUrl` until it answers 200, or the process ends. */
  async #ask(readyUrl: string): Promise<void> {
    const isDecided = async () => this.#end !== undefined || await answers(readyUrl);
    if (await poll(isDecided, { timeoutMs: START_TIMEOUT_MS, intervalMs: 20 })) {
      this.#ready.resolve({ url: new URL(readyUrl).origin });
    } else {
      this.#ready.reject(this.#failure(`was not ready within ${START_TIMEOUT_MS / 1000} s`));
    }
  }

  #failure(what: string): ProcessError {
    return new ProcessError(`${this.name} ${what}. ${this.#lastWords.join(" ")}`.trim());
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // It does not listen yet.
  }
}
