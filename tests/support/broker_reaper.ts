/** Started by `tests/support/broker.ts`: once its standard input ends, nothing of the broker is left. */
import { join } from "node:path";
import { PrivateCluster } from "@ecomarket/setup/private_cluster";
import { PrivateNode } from "@ecomarket/setup/private_node";

const [directory] = Deno.args;
if (!directory) throw new Error("Usage: broker_reaper.ts <folder of the broker>");

await Deno.stdin.readable.pipeTo(new WritableStream());
await (await PrivateNode.find(directory))?.kill();
await (await PrivateCluster.find(join(directory, "cluster")))?.kill();
await Deno.remove(directory, { recursive: true });
