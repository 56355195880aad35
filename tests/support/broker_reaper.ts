/** Started by `startTestBroker()`: once its standard input ends, nothing of the broker is left. */
import { PrivateNode } from "@ecomarket/setup/private_node";

const [directory] = Deno.args;
if (!directory) throw new Error("Usage: broker_reaper.ts <folder of the node>");

await Deno.stdin.readable.pipeTo(new WritableStream());
await (await PrivateNode.find(directory))?.kill();
await Deno.remove(directory, { recursive: true });
