/** The workshop's roles, each as a process in its own sandbox. */
import { join } from "node:path";
import type { ProcessSpec } from "./process_spec.ts";
import { SandboxedProcess } from "./sandboxed_process.ts";

/** A role's script, and what it may do. */
export interface RoleScript
  extends Pick<ProcessSpec, "name" | "script" | "permissionSet" | "args" | "v8Flags"> {
  /** Its data folder's name. */
  readonly folder: string;
}

/** Where and how a role runs. */
export interface RoleProcessOptions extends Pick<ProcessSpec, "env" | "onRecord" | "onLine"> {
  readonly amqpUrls: readonly string[];
  /** The role may read and write its own folder in this one, and nothing else. */
  readonly dataDir: string;
}

/**
 * With which a consumer is run: what it has in hand is a window of events, and V8's own measure of a young
 * heap, and of when to clean up, holds a hundred MiB more (`docs/performance.md`).
 */
export const SMALL_HEAP: readonly string[] = [
  "--max-semi-space-size=2",
  "--heap-growing-percent=30",
];

/** The workshop's consumers. One is ready once it consumes. */
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

function consumer(name: string, script: string, folder: string): RoleScript {
  return { name, script, folder, permissionSet: name, v8Flags: SMALL_HEAP };
}

/** The users API at `port`, where 0 is any free one. It is ready once it listens. */
export function usersApi(port = 0): RoleScript {
  return {
    name: "users-api",
    script: "publisher/api/users_api.ts",
    permissionSet: "users-api",
    folder: "users",
    args: ["--port", String(port)],
  };
}

/** What `role` is as a process. */
export function roleSpec(role: RoleScript, options: RoleProcessOptions): ProcessSpec {
  const { amqpUrls, dataDir, env, ...rest } = options;
  return {
    ...role,
    ...rest,
    folder: join(dataDir, role.folder),
    urls: amqpUrls,
    env: { AMQP_URL: amqpUrls.join(","), DATA_DIR: dataDir, ...env },
  };
}

/** Starts `role`. It does its work once `ready` resolves. */
export function startRole(role: RoleScript, options: RoleProcessOptions): SandboxedProcess {
  return new SandboxedProcess(roleSpec(role, options));
}
