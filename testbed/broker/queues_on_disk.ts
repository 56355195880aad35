/** When a quorum queue that was just declared survives a crash of its broker. */
import { join } from "node:path";
import { nodePaths, type NodeSpec } from "@ecomarket/setup/node/node_files";
import { until } from "@ecomarket/shared/base/poll";

/**
 * Resolves once every quorum queue of the node would survive SIGKILL: about a second after the last
 * was declared. Before, the node's list of its queues is only in memory, and the queue stays without
 * a leader for good, whatever was confirmed to it (`ra_directory.erl`@2.2.0; tried on 3.10.8).
 */
export async function untilQueuesAreOnDisk({ directory, name }: NodeSpec): Promise<void> {
  const list = join(nodePaths(directory).data, name, "quorum", name, "names.dets");
  await until(`${list} to be saved`, () => isSaved(list), { timeoutMs: 10_000 });
}

/** Whether the DETS file holds all that was inserted: its third word is 1 (`dets_v9.erl`). */
async function isSaved(file: string): Promise<boolean> {
  const bytes = await Deno.readFile(file);
  return bytes.length > 12 && new DataView(bytes.buffer).getUint32(8) === 1;
}
