/** What a process of ours is, and the command that runs it in the sandbox of a person's own. */
import { tlsPaths } from "@ecomarket/shared/process/tls_files";
import type { TextLine } from "@ecomarket/shared/process/text_lines";
import { PROJECT_ROOT } from "../project/project_root.ts";
import type { LogRecord } from "./log_record.ts";

/** What runs, and what it may do. */
export interface ProcessSpec {
  /** For messages about it. */
  readonly name: string;
  /** Its path, from {@link ProcessSpec.root}. */
  readonly script: string;
  /** The name of its permission set, in the `deno.json` of its folder. */
  readonly permissionSet: string;
  /** The one folder that it may read and write. */
  readonly folder: string;
  /** What it may read besides. */
  readonly readable?: readonly string[];
  /** What it reaches besides the loopback: their hosts, and the certificates that they name. */
  readonly urls?: readonly string[];
  readonly args?: readonly string[];
  /** Flags of V8, as its task has them. @default none */
  readonly v8Flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its source is. @default {@link PROJECT_ROOT} */
  readonly root?: string;
  /** What answers 200 once it does its work. @default its log says so */
  readonly readyUrl?: string;
  /** Is called with every record of its log. */
  readonly onRecord?: (record: LogRecord) => void;
  /** Is called with every line that it writes, to either stream. */
  readonly onLine?: (line: TextLine) => void;
}

/**
 * What a person has set for roles of their own, and says nothing to these: a demo must send no real
 * email, and retry as it declares. An empty variable counts as one that is not set.
 */
const NOT_OURS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "AMQP_CA_FILE",
    "AMQP_CERT_FILE",
    "AMQP_KEY_FILE",
    "DATABASE_URL",
    "FAST_RETRY",
    "HEALTH_PORT",
    "HOST",
    "INBOX_RETENTION_DAYS",
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

/** The command that runs `spec`, with all three of its streams piped. */
export function sandboxedCommand(spec: ProcessSpec): Deno.Command {
  const { permissionSet, script, args = [], v8Flags = [], env, root = PROJECT_ROOT } = spec;
  const v8 = v8Flags.length > 0 ? [`--v8-flags=${v8Flags.join(",")}`] : [];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", ...v8, `-P=${permissionSet}`, ...sandboxFlags(spec), script, ...args],
    cwd: root,
    env: { ...NOT_OURS, LOG_FORMAT: "json", LOG_LEVEL: "debug", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/**
 * The flags with which a process has its folder for its own, reads the certificates of its URLs, and reaches them
 * besides the loopback: a `-P` set is made for `data/` and the loopback alone. n.b. a flag takes the place of the
 * set's whole list of that kind (Deno 2.9).
 */
function sandboxFlags({ folder, readable = [], urls = [] }: ProcessSpec): readonly string[] {
  const hosts = new Set([...LOOPBACK, ...urls.map((url) => new URL(url).hostname)]);
  return [
    `--allow-read=${[folder, ...readable, ...new Set(urls.flatMap(tlsPaths))].join(",")}`,
    `--allow-write=${folder}`,
    `--allow-net=${[...hosts].join(",")}`,
  ];
}

/** What every process may reach. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
