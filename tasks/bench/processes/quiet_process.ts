/**
 * A role as a process with its logs as they are by default. What it logs is read as fast as it comes
 * and thrown away: to parse it would be measured as well.
 */
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { stopProcess } from "@ecomarket/shared/process/platform";
import { type ProcessSpec, sandboxedCommand } from "@ecomarket/testbed/processes/process_spec";

/** How much of a log is kept, in characters, for when its process ends unasked. */
const LAST_WORDS = 2_000;

/** A process ended that had still to do something. */
class ProcessEndedError extends EcoMarketError {
  override readonly code = "PROCESS_ENDED";
}

/** A running role. Disposing of it asks it to stop, and ends it when it does not. */
export class QuietProcess implements AsyncDisposable {
  readonly name: string;
  /** In `performance.now()` milliseconds. */
  readonly startedAt: number;
  readonly #child: Deno.ChildProcess;
  readonly #isOver: Promise<unknown>;
  #lastWords = "";
  #waitsFor: { readonly text: string; readonly resolve: () => void } | undefined;

  /** Starts it. */
  constructor(spec: ProcessSpec) {
    this.name = spec.name;
    this.startedAt = performance.now();
    const env = { ...spec.env, LOG_FORMAT: "", LOG_LEVEL: "" };
    this.#child = sandboxedCommand({ ...spec, env }).spawn();
    this.#isOver = Promise.all([this.#read(this.#child.stderr), this.#read(this.#child.stdout)]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Resolves once its log says `text`, which has to be asked for before it can.
   *
   * @throws {ProcessEndedError} when it ends before.
   */
  async says(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waitsFor = { text, resolve };
    await Promise.race([promise, this.#ended()]);
  }

  /** Resolves once it has ended well. @throws {ProcessEndedError} otherwise. */
  async succeeds(): Promise<void> {
    await this.#isOver;
    const { code } = await this.#child.status;
    if (code !== 0) await this.#ended();
  }

  /** Asks it to finish what is in flight and end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await stopProcess(this.#child, 15_000);
    await this.#isOver;
  }

  async #ended(): Promise<never> {
    await this.#isOver;
    const { code, signal } = await this.#child.status;
    throw new ProcessEndedError(
      `${this.name} ended (${signal ?? code}). Its last words:\n${this.#lastWords}`,
    );
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      const waitsFor = this.#waitsFor;
      if (waitsFor === undefined) {
        this.#lastWords = text.slice(-LAST_WORDS);
        continue;
      }
      this.#lastWords = (this.#lastWords + text).slice(-Math.max(LAST_WORDS, text.length));
      if (!this.#lastWords.includes(waitsFor.text)) continue;
      this.#waitsFor = undefined;
      waitsFor.resolve();
    }
  }
}
