/** `deno task dead-letters replay`, run as the command that it is, in its own sandbox. */
import { join } from "node:path";
import { ARCHIVE } from "@ecomarket/shared/archive/tables";
import { sandboxedCommand } from "@ecomarket/testbed/processes/process_spec";

/** How the command ended, and the last of what it said. */
export interface Replayed {
  readonly isWell: boolean;
  readonly output: string;
}

/** Sends a dead letter back to the queue that failed; `again` where it was sent back before. */
export async function replayLetter(
  { letter, again = false }: { readonly letter: number; readonly again?: boolean },
  urls: readonly string[],
  dataDir: string,
): Promise<Replayed> {
  const command = sandboxedCommand({
    name: "dead-letters",
    script: "tasks/dead_letters/dead_letters.ts",
    permissionSet: "dead-letters",
    folder: join(dataDir, ARCHIVE),
    // Whether an event is done already is read in the inbox of its subscriber.
    readable: [dataDir],
    urls,
    args: ["replay", String(letter), ...(again ? ["--again"] : [])],
    env: { AMQP_URL: urls.join(","), DATA_DIR: dataDir, LOG_LEVEL: "warning" },
  });
  const child = command.spawn();
  await child.stdin.close(); // Nobody answers its questions.
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { isWell: success, output: [text(stdout), text(stderr)].filter(Boolean).join("\n") };
}
