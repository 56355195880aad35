/**
 * One PostgreSQL server of our own, in a folder of its own, on the loopback: started, stopped, killed,
 * started again with its data, promoted where it was a standby. Never the system's service.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSetupError, ignoreNotFound } from "@ecomarket/shared/base/errors";
import { poll } from "@ecomarket/shared/base/poll";
import { DEV_PASSWORD, DEV_USER } from "@ecomarket/shared/process/config";
import { isProcessAlive } from "@ecomarket/shared/process/platform";
import { freePorts } from "../machine/free_ports.ts";
import { lastLines, runProgram } from "../machine/run_program.ts";
import { findPostgres } from "./find_postgres.ts";
import { giveFolder, type ServerUser, serverUser } from "./server_user.ts";

/** How long the server's programs may take, in milliseconds. */
const PROGRAM_TIMEOUT_MS = 120_000;

/** See the head of this file. Creating one starts nothing. */
export class PrivatePostgres {
  readonly directory: string;
  readonly port: number;
  readonly #bin: string;
  readonly #user: ServerUser;
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number, bin: string, user: ServerUser) {
    this.directory = directory;
    this.port = port;
    this.#bin = bin;
    this.#user = user;
  }

  /**
   * A server whose folder is `directory`, which is made, on a free port.
   *
   * @throws {DatabaseSetupError} when PostgreSQL is not installed, or its folder cannot be made.
   */
  static async create(directory: string): Promise<PrivatePostgres> {
    const server = await PrivatePostgres.#unmade(directory);
    const passwordFile = join(directory, "password");
    await server.#writeFile(passwordFile, DEV_PASSWORD);
    await server.#run("initdb", [
      `--pgdata=${server.dataFolder}`,
      `--username=${DEV_USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--no-locale",
      "--no-instructions",
    ]);
    await Deno.remove(passwordFile);
    return server;
  }

  /**
   * A standby of `primary`, which runs: a copy of its data that follows it. Creating it starts nothing.
   *
   * @param name what the primary calls it in `synchronous_standby_names`
   */
  static async standbyOf(
    primary: PrivatePostgres,
    directory: string,
    name: string,
  ): Promise<PrivatePostgres> {
    const server = await PrivatePostgres.#unmade(directory);
    const source = `host=127.0.0.1 port=${primary.port} user=${DEV_USER} application_name=${name}`;
    await server.#run("pg_basebackup", [
      `--pgdata=${server.dataFolder}`,
      `--dbname=${source}`,
      "--wal-method=stream",
      "--checkpoint=fast",
      "--write-recovery-conf",
    ], { PGPASSWORD: DEV_PASSWORD });
    return server;
  }

  static async #unmade(directory: string): Promise<PrivatePostgres> {
    const bin = findPostgres();
    if (!bin) throw new DatabaseSetupError("Cannot make a server: PostgreSQL is not installed");
    const user = await serverUser();
    await giveFolder(directory, user);
    const [port] = await freePorts(1);
    return new PrivatePostgres(directory, port!, bin, user);
  }

  /** What the server keeps. */
  get dataFolder(): string {
    return join(this.directory, "data");
  }

  /** Credentials included. The same over every restart. */
  urlOf(database = "postgres"): string {
    return `postgres://${DEV_USER}:${DEV_PASSWORD}@127.0.0.1:${this.port}/${database}`;
  }

  /** The process id while it runs. */
  async pid(): Promise<number | undefined> {
    return await runningPid(this.dataFolder);
  }

  /**
   * Starts the server, and waits until it answers.
   *
   * @param settings `postgresql.conf` for this run, such as `{ max_connections: "10" }`
   * @throws {DatabaseSetupError} when it does not within a minute: with its last words.
   */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await poll(async () => await this.pid() === undefined, { timeoutMs: 10_000 });
    const all = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      wal_level: "replica",
      ...settings,
    };
    const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const [program, ...args] = [
      ...this.#user.prefix,
      join(this.#bin, "postgres"),
      "-D",
      this.dataFolder,
      ...flags,
    ];
    const output = openSync(this.#logFile, "a");
    try {
      // n.b. in a session of its own: a Ctrl+C in our terminal does not reach it.
      const stdio = ["ignore", output, output] as const;
      this.#child = spawn(program!, args, { cwd: "/", detached: true, stdio: [...stdio] });
      await once(this.#child, "spawn");
      this.#child.unref();
    } finally {
      closeSync(output);
    }
    const hasStarted = await poll(() => this.#answers(), { timeoutMs: 60_000 });
    if (hasStarted) return;
    const words = lastLines(await Deno.readTextFile(this.#logFile));
    throw new DatabaseSetupError(`PostgreSQL in ${this.directory} did not start:\n${words}`);
  }

  /** Stops it in order: connections are ended, data kept. Nothing happens when it does not run. */
  async stop(): Promise<void> {
    await this.#end("SIGINT");
  }

  /** Ends it as a crash would (SIGKILL). What was committed is kept. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Freezes the server's main process and all who serve (SIGSTOP), or lets them go on. */
  async freeze(isFrozen: boolean): Promise<void> {
    const pid = await this.pid();
    if (pid === undefined) return;
    for (const id of [pid, ...await childrenOf(pid)]) signal(id, isFrozen ? "SIGSTOP" : "SIGCONT");
  }

  /** {@link stop}, then {@link start}. */
  async restart(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.stop();
    await this.start(settings);
  }

  /** Makes a standby the primary, and waits until it is. */
  async promote(): Promise<void> {
    await this.#run("pg_ctl", ["promote", "-D", this.dataFolder, "--wait"]);
  }

  /** Ends it and deletes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    await removeServer(this.directory);
  }

  get #logFile(): string {
    return join(this.directory, "server.log");
  }

  async #end(how: "SIGINT" | "SIGKILL"): Promise<void> {
    const pid = await this.pid();
    if (pid !== undefined) await endServer(pid, how, this.directory);
    this.#child = undefined;
  }

  /** n.b. `pg_isready` needs no credentials, and says nothing to the server's log. */
  async #answers(): Promise<boolean> {
    if (this.#child && this.#child.exitCode !== null) return false;
    const args = ["-h", "127.0.0.1", "-p", String(this.port), "-t", "2"];
    const result = await runProgram(join(this.#bin, "pg_isready"), args, { timeoutMs: 5_000 });
    return result?.success === true;
  }

  async #writeFile(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    const { owner } = this.#user;
    if (owner) await Deno.chown(path, owner.uid, owner.gid);
  }

  async #run(name: string, args: readonly string[], env: Record<string, string> = {}) {
    const [program, ...rest] = [...this.#user.prefix, join(this.#bin, name), ...args];
    const result = await runProgram(program!, rest, { timeoutMs: PROGRAM_TIMEOUT_MS, env });
    if (result?.success) return;
    throw new DatabaseSetupError(
      `\`${name}\` of PostgreSQL failed:\n${
        lastLines(result?.output ?? `${program} is not there`)
      }`,
    );
  }
}

/** Ends whatever server runs in `directory`, as a crash would, and deletes the folder. */
export async function removeServer(directory: string): Promise<void> {
  const pid = await runningPid(join(directory, "data"));
  if (pid !== undefined) await endServer(pid, "SIGKILL", directory);
  // n.b. those who served end by themselves once the main process is gone, and may still write.
  const attempt = () => Deno.remove(directory, { recursive: true }).then(() => true, () => false);
  if (await poll(attempt, { timeoutMs: 10_000 })) return;
  await Deno.remove(directory, { recursive: true }).catch(ignoreNotFound);
}

async function endServer(pid: number, how: "SIGINT" | "SIGKILL", directory: string): Promise<void> {
  const children = await childrenOf(pid);
  for (const id of [pid, ...children]) signal(id, "SIGCONT");
  signal(pid, how);
  // n.b. who serves a client outlives the main process until it waits for the client next: a crash of
  // the machine ends all at once.
  if (how === "SIGKILL") { for (const id of children) signal(id, how); }
  if (
    await poll(async () => !await isServer(pid, join(directory, "data")), { timeoutMs: 30_000 })
  ) return;
  throw new DatabaseSetupError(
    `Cannot end PostgreSQL in ${directory}: process ${pid} is still there`,
  );
}

/** The process id that the server has written, where it still is the server's. */
async function runningPid(dataFolder: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(join(dataFolder, "postmaster.pid")).catch(ignoreNotFound);
  const pid = Number(text?.split("\n")[0]);
  return pid > 0 && await isServer(pid, dataFolder) ? pid : undefined;
}

/** n.b. a process id that went to another program is never killed. A zombie has no command line. */
async function isServer(pid: number, dataFolder: string): Promise<boolean> {
  if (!isProcessAlive(pid)) return false;
  const result = await runProgram("ps", ["-o", "args=", "-p", String(pid)], { timeoutMs: 5_000 });
  return result?.stdout.includes(dataFolder) === true;
}

/** The processes that the server's main process has started: one for each connection, and its workers. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const result = await runProgram("ps", ["-A", "-o", "pid=,ppid="], { timeoutMs: 5_000 });
  const rows = (result?.stdout ?? "").split("\n").map((line) =>
    line.trim().split(/\s+/).map(Number)
  );
  return rows.filter(([, parent]) => parent === pid).map(([id]) => id!);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
