/** The roles that this page has started: each as a process in its own sandbox, as its own broker user. */
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import { type ConsumerName, CONSUMERS, roleSpec } from "@ecomarket/testbed/processes/roles";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import type { Instance } from "../view/view.ts";

/** With what the roles run. */
export interface FleetOptions {
  readonly urlsOf: (role: string) => readonly string[];
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onRecord: (name: ConsumerName, record: LogRecord) => void;
}

interface Member {
  readonly process: SandboxedProcess;
  state: Instance["state"];
  status: string | undefined;
}

/** Nobody starts a second process of a role here: what runs elsewhere is somebody else's. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #members = new Map<ConsumerName, Member>();
  #isOver = false;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** The process of `name` that was started last. */
  instanceOf(name: ConsumerName): Instance | undefined {
    const member = this.#members.get(name);
    return member && { pid: member.process.pid, state: member.state, status: member.status };
  }

  /** Whether a process of `name` runs here. */
  isRunning(name: ConsumerName): boolean {
    return ["starting", "running", "stopping"].includes(
      this.#members.get(name)?.state ?? "stopped",
    );
  }

  /**
   * Starts `name`, unless it runs here. Resolves once it consumes.
   *
   * @throws {ProcessError} when it ends instead, with its last words.
   */
  async start(name: ConsumerName): Promise<void> {
    if (this.isRunning(name) || this.#isOver) return;
    const [port] = await freePorts(1);
    const { urlsOf, dataDir, env, onRecord } = this.#options;
    const spec = roleSpec(CONSUMERS[name], {
      amqpUrls: urlsOf(name),
      dataDir,
      // n.b. no record of what goes well: writing one for each event would be a load of our making.
      env: { ...env, LOG_LEVEL: "warning", HEALTH_PORT: String(port) },
      onRecord: (record) => onRecord(name, record),
    });
    if (this.isRunning(name) || this.#isOver) return; // Somebody was faster.
    const process = new SandboxedProcess({ ...spec, readyUrl: `http://127.0.0.1:${port}/readyz` });
    const member: Member = { process, state: "starting", status: undefined };
    this.#members.set(name, member);
    void process.status.then(({ code, signal }) => {
      member.status = signal ?? String(code);
      if (member.state !== "killed") {
        member.state = member.state === "stopping" ? "stopped" : "ended";
      }
    });
    await process.ready;
    if (member.state === "starting") member.state = "running";
  }

  /** Lets `name` finish what is in flight, and end. */
  async stop(name: ConsumerName): Promise<void> {
    await this.#end(name, "stopping", (process) => process.stop());
  }

  /** Ends `name` at once, wherever it is. */
  async kill(name: ConsumerName): Promise<void> {
    await this.#end(name, "killed", (process) => process.kill());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#members.values()].map(({ process }) => process.stop()));
  }

  async #end(
    name: ConsumerName,
    state: "stopping" | "killed",
    end: (process: SandboxedProcess) => Promise<unknown>,
  ): Promise<void> {
    const member = this.#members.get(name);
    if (!member || !this.isRunning(name)) return;
    member.state = state;
    await end(member.process);
  }
}
