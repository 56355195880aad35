/** One consumer as a child process, in the sandbox in which a person would run it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { stopProcess } from "@ecomarket/shared/platform";
import { readLines } from "@ecomarket/shared/text_lines";

/** The project's root folder: permission sets and scripts are found from there. */
export const PROJECT_ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A consumer's script, and what it may do. */
export interface ConsumerScript {
  readonly name: string;
  /** Its path, from {@link PROJECT_ROOT}. */
  readonly script: string;
  /** The name of its permission set in `deno.json`. */
  readonly permissionSet: string;
  /** Its data folder's name. */
  readonly folder: string;
}

/** The workshop's consumers. */
export const CONSUMERS = {
  email: consumer("email", "consumers/email.ts", "email"),
  loyalty: consumer("loyalty", "consumers/loyalty.ts", "loyalty"),
  analytics: consumer("analytics", "consumers/analytics.ts", "analytics"),
  "dead-letter": consumer("dead-letter", "consumers/dead_letter.ts", "dead_letters"),
} as const;

/** A name in {@link CONSUMERS}, also that of its task: `deno task consumer:<name>`. */
export type ConsumerName = keyof typeof CONSUMERS;
/** All of them. */
export const CONSUMER_NAMES = Object.keys(CONSUMERS) as ConsumerName[];

function consumer(name: string, script: string, folder: string): ConsumerScript {
  return { name, script, folder, permissionSet: name };
}

/** What this project's consumers say in a log record, as far as anybody asks. */
const logRecordSchema = z.looseObject({
  message: z.string(),
  level: z.string(),
  state: z.string().optional(),
  outcome: z.enum(["handled", "duplicate", "retried", "dead-lettered"]).optional(),
  event_id: z.string().optional(),
  attempt: z.number().optional(),
  delayMs: z.number().optional(),
  redelivered: z.boolean().optional(),
});

/** One record of a consumer's log. */
export type LogRecord = z.infer<typeof logRecordSchema>;

/** Where and how a consumer runs. */
export interface ConsumerProcessOptions {
  readonly amqpUrls: readonly string[];
  /** The consumer may read and write its own folder in this one, and nothing else. */
  readonly dataDir: string;
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onRecord?: (record: LogRecord) => void;
}

/** A running consumer. Disposing of it asks it to stop, and ends it when it does not. */
export class ConsumerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #consuming = Promise.withResolvers<void>();
  readonly #logRead: Promise<void>;
  /** What it said that was no log record: why it could not start. */
  readonly #complaints: string[] = [];

  private constructor(
    readonly consumer: ConsumerScript,
    options: ConsumerProcessOptions,
  ) {
    const { script, permissionSet } = consumer;
    const flags = sandboxFlags(join(options.dataDir, consumer.folder), options.amqpUrls);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", `-P=${permissionSet}`, ...flags, script],
      cwd: PROJECT_ROOT,
      env: {
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
    this.#consuming.promise.catch(() => {}); // Whoever waits for it hears of it.
    this.#logRead = this.#readLog(options.onRecord ?? (() => {}));
  }

  /** Starts `consumer`. It consumes once {@link ready} resolves. */
  static start(consumer: ConsumerScript, options: ConsumerProcessOptions): ConsumerProcess {
    return new ConsumerProcess(consumer, options);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves once it consumes for the first time; rejects when it ends before. */
  get ready(): Promise<void> {
    return this.#consuming.promise;
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
        if (record.state === "consuming") this.#consuming.resolve();
        onRecord(record);
      }
    }
    const { code, signal } = await this.#child.status;
    this.#consuming.reject(
      new Error(`${this.consumer.name} ended (${signal ?? code}). ${this.#complaints.join(" ")}`),
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
