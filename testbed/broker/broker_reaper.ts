/** Started by `testbed/broker/test_broker.ts`: once its standard input ends, nothing of the broker is left. */
import { join } from "node:path";
import { PrivateCluster } from "@ecomarket/setup/node/private_cluster";
import { PrivateNode } from "@ecomarket/setup/node/private_node";
import { poll } from "@ecomarket/shared/base/poll";
import { isProcessAlive } from "@ecomarket/shared/process/platform";

const [directory] = Deno.args;
if (!directory) throw new Error("Usage: broker_reaper.ts <folder of the broker>");

await Deno.stdin.readable.pipeTo(new WritableStream());
// A test's own node, or what `broker start` has started in a copy of the project.
const folders = [directory, join(directory, ".broker", "node")];
const singles = await Promise.all(folders.map((folder) => PrivateNode.find(folder)));
const cluster = await PrivateCluster.find(join(directory, "cluster"));
const nodes = [...singles.filter((node) => node !== undefined), ...(cluster?.nodes ?? [])];
await Promise.all(nodes.map(end));
await remove(directory);

/** n.b. seen once on a busy machine: a folder was not empty yet, just after its node was killed. */
async function remove(folder: string): Promise<void> {
  const attempt = () => Deno.remove(folder, { recursive: true }).then(() => true, () => false);
  if (!await poll(attempt, { timeoutMs: 5_000 })) await Deno.remove(folder, { recursive: true });
}

/**
 * A node registers with its port mapper seconds after its process started: until then, another
 * process such as this one does not see that it runs.
 */
async function end(node: PrivateNode): Promise<void> {
  const isGone = () => node.pid === undefined || !isProcessAlive(node.pid);
  const isDecided = async () => isGone() || await node.isRunning();
  await poll(isDecided, { timeoutMs: 15_000 });
  await node.kill();
}
