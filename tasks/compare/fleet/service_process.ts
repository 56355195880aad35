/** An HTTP service as a child process, in the sandbox in which a person would run it. */
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { poll } from "@ecomarket/shared/base/poll";
import { stopProcess } from "@ecomarket/shared/process/platform";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { NOT_OURS, PROJECT_ROOT, sandboxFlags } from "@ecomarket/testbed/processes/role_process";

/** What runs, and where. */
export interface ServiceOptions {
  /** Its path, from `root`. */
  readonly script: string;
  /** The name of its permission set, in the `deno.json` of its folder. */
  readonly permissionSet: string;
  /** The one folder that it may read and write. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where its source is. @default {@link PROJECT_ROOT} */
  readonly root?: string;
  /** @default a free one */
  readonly port?: number;
}

const START_TIMEOUT_MS = 30_000;
/** How much of what it said is kept, for when it ends unasked. */
const LAST_WORDS = 20;

/** A running service. Disposing of it asks it to stop, and ends it when it does not. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #lastWords: string[] = [];
  readonly url: string;
  #ended = false;

  private constructor(readonly options: ServiceOptions, port: number) {
    const { script, permissionSet, folder, env, root } = options;
    this.url = `http://127.0.0.1:${port}`;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", `-P=${permissionSet}`, ...sandboxFlags(folder), script],
      cwd: root ?? PROJECT_ROOT,
      env: { ...NOT_OURS, LOG_FORMAT: "json", LOG_LEVEL: "error", ...env, PORT: String(port) },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /**
   * Starts a service. Resolves once `GET /readyz` answers 200.
   *
   * @throws {Error} with its last words when it ends before, or takes longer than half a minute.
   */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options, options.port ?? (await freePorts(1))[0]!);
    try {
      await service.#untilReady();
      return service;
    } catch (error) {
      await service.stop(0);
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Asks it to finish what is under way and end; ends it after `graceMs`. */
  async stop(graceMs = 15_000): Promise<Deno.CommandStatus> {
    const status = await stopProcess(this.#child, graceMs);
    await this.#reading;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #untilReady(): Promise<void> {
    const isDecided = async () =>
      await this.#isReady() ? "ready" : this.#ended ? "ended" : undefined;
    const found = await poll(isDecided, { timeoutMs: START_TIMEOUT_MS, intervalMs: 20 });
    if (found === "ready") return;
    const words = this.#lastWords.join("\n");
    throw new Error(`${this.options.script} ${found ?? "is not ready"}:\n${words}`);
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false; // It does not listen yet.
    }
  }

  async #read(): Promise<void> {
    for await (const lines of readLines(this.#child.stderr)) {
      this.#lastWords.push(...lines.map(({ text }) => text));
      this.#lastWords.splice(0, this.#lastWords.length - LAST_WORDS);
    }
    this.#ended = true;
  }
}
