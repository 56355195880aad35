/** The chaos publisher as a process in its sandbox. */
import type { Level } from "@ecomarket/publisher/levels/levels";
import type { ProcessSpec } from "@ecomarket/testbed/processes/process_spec";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";

/** What the publisher shall publish, where, and how fast. */
export interface PublisherOptions extends Pick<ProcessSpec, "onRecord"> {
  readonly amqpUrls: readonly string[];
  readonly journalDir: string;
  readonly seed: number;
  readonly events: number;
  readonly ratePerSecond: number;
  readonly level: Level;
}

/** Starts one life of the publisher: what it can be told stands at the top of its script. */
export function startPublisher(options: PublisherOptions): SandboxedProcess {
  const { amqpUrls, journalDir, seed, events, ratePerSecond, level, ...rest } = options;
  return new SandboxedProcess({
    ...rest,
    name: "publisher",
    script: "tasks/chaos/load/chaos_publisher.ts",
    permissionSet: "chaos-publisher",
    folder: journalDir,
    env: { AMQP_URL: amqpUrls.join(",") },
    args: [
      `--journal=${journalDir}`,
      `--seed=${seed}`,
      `--events=${events}`,
      `--rate=${ratePerSecond}`,
      `--level=${level}`,
    ],
  });
}
