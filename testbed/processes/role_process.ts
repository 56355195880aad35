/** One role as a child process, in the sandbox in which a person would run it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { stopProcess } from "@ecomarket/shared/process/platform";
import { readLines } from "@ecomarket/shared/process/text_lines";

/** The project's root folder: permission sets and scripts are found from there. */
export const PROJECT_ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A role's script, and what it may do. */
export interface RoleScript {
  readonly name: string;
  /** Its path, from {@link PROJECT_ROOT}. */
  readonly script: string;
  /** The name of its permission set, in the `deno.json` of its folder. */
  readonly permissionSet: string;
  /** Its data folder's name. */
  readonly folder: string;
  readonly args?: readonly string[];
}

/** What this project's roles say in a log record, as far as anybody asks. */
const logRecordSchema = z.looseObject({
  message: z.string(),
  level: z.string(),
  state: z.string().optional(),
  url: z.string().optional(),
  outcome: z.enum(["handled", "duplicate", "retried", "dead-lettered"]).optional(),
  event_id: z.string().optional(),
  attempt: z.number().optional(),
  delayMs: z.number().optional(),
  redelivered: z.boolean().optional(),
  memoryBytes: z.number().optional(),
  pid: z.number().optional(),
});

/** One record of a role's log. */
export type LogRecord = z.infer<typeof logRecordSchema>;

/** Where and how a role runs. */
export interface RoleProcessOptions {
  readonly amqpUrls: readonly string[];
  /** The role may read and write its own folder in this one, and nothing else. */
  readonly dataDir: string;
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onRecord?: (record: LogRecord) => void;
}

/**
 * What a person has set for roles of their own, and says nothing to these: a demo must send no real
 * email, and retry as it declares. An empty variable counts as one that is not set.
 */
export const NOT_OURS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "FAST_RETRY",
    "HOST",
    "LOG_EMAILS",
    "OUTBOX_MAX_AGE_MS",
    "OUTBOX_MAX_EVENTS",
    "PORT",
    "PREFETCH",
    "RETRY_DELAYS_MS",
    "SIMULATE_FAILURES",
    "SMTP_URL",
  ].map((name) => [name, ""]),
);

/** By which a role's log says that it does its work now. */
const READY_STATES = new Set(["consuming", "listening"]);

/** A running role. Disposing of it asks it to stop, and ends it when it does not. */
export class RoleProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ready = Promise.withResolvers<LogRecord>();
  readonly #logRead: Promise<void>;
  /** What it said that was no log record: why it could not start. */
  readonly #complaints: string[] = [];

  constructor(readonly role: RoleScript, options: RoleProcessOptions) {
    const { script, permissionSet, args = [] } = role;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        `-P=${permissionSet}`,
        ...sandboxFlags(join(options.dataDir, role.folder), options.amqpUrls),
        script,
        ...args,
      ],
      cwd: PROJECT_ROOT,
      env: {
        ...NOT_OURS,
        AMQP_URL: options.amqpUrls.join(","),
        DATA_DIR: options.dataDir,
        LOG_FORMAT: "json",
        LOG_LEVEL: "debug",
        ...options.env,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#ready.promise.catch(() => {}); // Whoever waits for it hears of it.
    this.#logRead = this.#readLog(options.onRecord ?? (() => {}));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves once it does its work for the first time; rejects when it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise.then(() => {});
  }

  /** The URL at which it serves, for a role that does. Rejects when it ends before. */
  get url(): Promise<string> {
    return this.#ready.promise.then(({ url }) => url ?? "");
  }

  /** How it ended, once it has. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** Asks it to finish what is in flight and end; ends it after `graceMs`. */
  async stop(graceMs = 15_000): Promise<Deno.CommandStatus> {
    const status = await stopProcess(this.#child, graceMs);
    await this.#logRead;
    return status;
  }

  /** Ends it at once, wherever it is: `kill -9`. */
  async kill(): Promise<Deno.CommandStatus> {
    return await this.stop(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #readLog(onRecord: (record: LogRecord) => void): Promise<void> {
    for await (const lines of readLines(this.#child.stderr)) {
      for (const { text } of lines) {
        const record = parseRecord(text);
        if (!record) {
          this.#complaints.push(text);
          continue;
        }
        if (READY_STATES.has(record.state ?? "")) this.#ready.resolve(record);
        onRecord(record);
      }
    }
    const { code, signal } = await this.#child.status;
    this.#ready.reject(
      new Error(`${this.role.name} ended (${signal ?? code}). ${this.#complaints.join(" ")}`),
    );
  }
}

/**
 * The flags with which a role has `folder` for its own, and reaches these URLs besides the loopback:
 * a `-P` set is made for `data/` and the loopback alone. n.b. a flag takes the place of the set's
 * whole list of that kind (Deno 2.9).
 */
export function sandboxFlags(folder: string, urls: readonly string[] = []): readonly string[] {
  const hosts = new Set([...LOOPBACK, ...urls.map((url) => new URL(url).hostname)]);
  return [
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
    `--allow-net=${[...hosts].join(",")}`,
  ];
}

/** What every role may reach. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** A line of a role's JSON log, or `undefined` where the line is something else. */
export function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return logRecordSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
