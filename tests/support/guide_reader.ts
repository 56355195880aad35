/** Somebody who does what a guide says, and compares what he sees with what it shows. */
import { delimiter, dirname, join } from "node:path";
import { eventually } from "./eventually.ts";
import { findText, type Step } from "./guide.ts";

/** How long a command, or a line in a terminal, is waited for. */
const PATIENCE_MS = 300_000;

/** What would change what the guide's commands do. */
const CONFIGURATION =
  /^(?:AMQP_URL|MANAGEMENT_URL|SMTP_URL|DATA_DIR|PREFETCH|FAST_RETRY|RETRY_DELAYS_MS|SIMULATE_.*|LOG_.*|BROKER_.*)$/;

/** A shell in which one command runs. */
class Terminal {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly status: Promise<Deno.CommandStatus>;
  hasEnded = false;
  output = "";
  /** Up to where the output was compared already. */
  seen = 0;

  constructor(command: string, directory: string) {
    this.#child = new Deno.Command("sh", {
      args: ["-c", `exec 2>&1; ${command}`],
      cwd: directory,
      env: environment(),
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      // A process group of its own: what a terminal interrupts.
      detached: true,
    }).spawn();
    this.#reading = this.#read();
    this.status = this.#child.status.finally(() => this.hasEnded = true);
  }

  /** Sends `signal` to all that runs in it. */
  signal(signal: Deno.Signal): void {
    try {
      Deno.kill(-this.#child.pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // All of it has ended.
    }
  }

  /** Waits for its end, and for its last words. @throws {Error} after `timeoutMs`. */
  async end(what: string, timeoutMs: number = PATIENCE_MS): Promise<number> {
    const timer = setTimeout(() => this.signal("SIGKILL"), timeoutMs);
    const startedAt = performance.now();
    try {
      const { code } = await this.status;
      await this.#reading;
      if (performance.now() - startedAt < timeoutMs) return code;
      throw new Error(`${what}: not within ${timeoutMs / 1000} s. It said:\n${this.output}`);
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.output += text;
    }
  }
}

/**
 * Follows a guide step by step, and throws at the first that shows something else than the guide
 * says. Disposing of it ends whatever still runs.
 */
export class GuideReader implements AsyncDisposable {
  readonly #terminals = new Map<string, Terminal>();
  /** What the commands of the last block have printed. */
  #output = { line: 0, text: "" };

  /** `directory` is the project's folder. */
  constructor(readonly directory: string) {}

  /** The terminals in which something runs. */
  get busy(): string[] {
    return [...this.#terminals].filter(([, { hasEnded }]) => !hasEnded).map(([name]) => name);
  }

  /** @throws {Error} when a command ends otherwise than the guide says, or prints something else. */
  async follow(step: Step): Promise<void> {
    switch (step.kind) {
      case "run":
        return await this.#run(step);
      case "open":
        if (this.busy.includes(step.terminal)) await this.#at(step.terminal).end(step.command);
        this.#terminals.set(step.terminal, new Terminal(step.command, this.directory));
        return;
      case "interrupt":
        this.#at(step.terminal).signal("SIGINT");
        await this.#at(step.terminal).end(`Ctrl+C in terminal ${step.terminal}`);
        return;
      case "write":
        return await Deno.writeTextFile(join(this.directory, step.path), step.content);
      case "see":
        return await this.#see(step);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const terminal of this.#terminals.values()) {
      terminal.signal("SIGKILL");
      await terminal.end("a terminal's end");
    }
  }

  #at(name: string): Terminal {
    const terminal = this.#terminals.get(name);
    if (!terminal) throw new Error(`There is no terminal ${name} yet`);
    return terminal;
  }

  async #run({ line, command, exit }: Extract<Step, { kind: "run" }>): Promise<void> {
    const shell = new Terminal(command, this.directory);
    const code = await shell.end(command);
    const before = this.#output.line === line ? this.#output.text : "";
    // A command that has ended has finished its last line, as `curl` without a line break at its end.
    const ended = shell.output === "" || shell.output.endsWith("\n");
    this.#output = { line, text: before + shell.output + (ended ? "" : "\n") };
    if (code !== exit) {
      throw new Error(`${command} ended with ${code}, not with ${exit}. It said:\n${shell.output}`);
    }
  }

  async #see({ line, terminal: name, text }: Extract<Step, { kind: "see" }>): Promise<void> {
    const missing = (output: string) =>
      new Error(`Line ${line} of the guide shows\n${text}\nand this was printed:\n${output}`);
    if (name === undefined) {
      if (findText(this.#output.text, text) === undefined) throw missing(this.#output.text);
      return;
    }
    const terminal = this.#at(name);
    await eventually(() => {
      const rest = terminal.output.slice(terminal.seen);
      const end = findText(rest, text);
      if (end === undefined) throw missing(rest);
      terminal.seen += end;
    }, PATIENCE_MS);
  }
}

/** The environment of somebody who has configured nothing, with this Deno as `deno`. */
function environment(): Record<string, string> {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !CONFIGURATION.test(name));
  const path = [dirname(Deno.execPath()), Deno.env.get("PATH")].join(delimiter);
  // A container's ports are fixed: those of somebody else may be among them.
  return { ...Object.fromEntries(own), PATH: path, NO_COLOR: "1", BROKER_DOCKER: "never" };
}
