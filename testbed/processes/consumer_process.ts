/** The workshop's consumers, each as a child process in its own sandbox. */
import { RoleProcess, type RoleProcessOptions, type RoleScript } from "./role_process.ts";

/** A consumer's script, and what it may do. */
export type ConsumerScript = RoleScript;
/** Where and how a consumer runs. */
export type ConsumerProcessOptions = RoleProcessOptions;

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

/** A running consumer. It is ready once it consumes. */
export class ConsumerProcess extends RoleProcess {
  /** Starts `consumer`. It consumes once {@link ready} resolves. */
  static start(consumer: ConsumerScript, options: ConsumerProcessOptions): ConsumerProcess {
    return new ConsumerProcess(consumer, options);
  }
}
