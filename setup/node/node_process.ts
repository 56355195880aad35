/** The process of a private node: spawned here, or found by its id. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { poll } from "@ecomarket/shared/base/poll";
import { IS_WINDOWS, isProcessAlive } from "@ecomarket/shared/process/platform";
import { registeredNodes } from "./epmd.ts";
import { INHERITED_VARIABLES, nodeEnvironment, nodePaths, type NodeSpec } from "./node_files.ts";
import { readNodeState } from "./node_state.ts";

/**
 * The process that a node runs as. Others may start the same node: where it is not a child of ours,
 * its id is read anew from the node's folder, and it is only ever signalled while the node's own port
 * mapper says that the node lives. A process id that went to another program is never killed.
 */
export class NodeProcess {
  readonly #spec: NodeSpec;
  #pid: number | undefined;
  /** The process that this object spawned last, until it was seen to end. */
  #child: ChildProcess | undefined;

  constructor(spec: NodeSpec, pid: number | undefined) {
    this.#spec = spec;
    this.#pid = pid;
  }

  /** The process id as this object last knew it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Whether this object spawned the process. */
  get isOurs(): boolean {
    return this.#child !== undefined;
  }

  /** Whether the process lives, whatever it does. */
  async isRunning(): Promise<boolean> {
    if (this.#childLives()) return true;
    const { name, ports } = this.#spec;
    const nodes = await registeredNodes(ports.epmd);
    return nodes.get(name.split("@")[0]!) === ports.dist;
  }

  /**
   * Starts `script` as the node, detached: in a session of its own, so that neither the end of this
   * process nor a Ctrl+C in its terminal reaches the node.
   *
   * @returns once the operating system has started it. Its own start takes seconds more.
   * @throws when `script` cannot be run.
   */
  async spawn(script: string): Promise<void> {
    const { directory } = this.#spec;
    // n.b. `Deno.Command` cannot send a child's output to a file, and a pipe would end with us.
    const output = openSync(nodePaths(directory).consoleFile, "w");
    try {
      const child = spawn(script, [], {
        cwd: directory,
        env: nodeEnvironment(this.#spec, inheritedVariables()),
        detached: true,
        stdio: ["ignore", output, output],
        shell: IS_WINDOWS,
      });
      await once(child, "spawn");
      child.unref();
      this.#child = child;
      this.#pid = child.pid;
    } finally {
      closeSync(output);
    }
  }

  /** Signals the process. @returns whether there was one to signal. */
  async signal(signal: NodeJS.Signals): Promise<boolean> {
    if (!await this.isRunning()) return false;
    if (!this.#childLives()) this.#pid = (await readNodeState(this.#spec.directory))?.pid;
    if (this.#pid === undefined) return false;
    try {
      process.kill(this.#pid, signal);
      return true;
    } catch (error) {
      // It ended by itself in the meantime.
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  }

  /** Signals the process and waits for its end. @returns whether it ended within `timeoutMs`. */
  async end(signal: "SIGTERM" | "SIGKILL", timeoutMs: number): Promise<boolean> {
    const wasRunning = await this.signal(signal);
    const ended = async () => !await this.isRunning();
    if (!await poll(ended, { timeoutMs })) return false;
    if (wasRunning && !this.#child) await this.#waitForExit();
    this.#child = undefined;
    return true;
  }

  #childLives(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * A node that stops leaves the port mapper shortly before its process ends. n.b. the wait is short
   * because a process whose parent does not collect it (as in a container without an init) stays.
   */
  async #waitForExit(): Promise<void> {
    const gone = () => this.#pid === undefined || !isProcessAlive(this.#pid);
    await poll(gone, { timeoutMs: 3_000 });
  }
}

/** Those of our variables that a node's environment keeps. */
export function inheritedVariables(): Record<string, string> {
  const entries = INHERITED_VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => !!entry[1]));
}
