import { newPrivateCluster } from "@ecomarket/setup/private_cluster";
import { connect } from "amqplib";
const dir = await Deno.makeTempDir({ prefix: "ecomarket_try_" });
const t0 = performance.now(); const log = (...a: unknown[]) => console.log(((performance.now()-t0)/1000).toFixed(1), ...a);
const c = await newPrivateCluster({ directory: dir });
const q = "q";
const args = { durable: true, arguments: { "x-queue-type": "quorum" } };
try {
log(dir, await c.start());
for (let round = 0; round < 6; round++) {
  for (const node of c.nodes) {
    const m = await connect(node.amqpUrl); m.on("error", () => {});
    const ch = await m.createConfirmChannel(); await ch.assertQueue(q, args);
    for (let i = 0; i < 3; i++) { ch.sendToQueue(q, Buffer.from("x"), { persistent: true }); await ch.waitForConfirms(); }
    await m.close();
  }
  if (round === 0) await new Promise(r => setTimeout(r, 1500));
  await c.kill(); await c.start();
  const seen: string[] = [];
  for (let i = 0; i < 40; i++) {
    const m = await connect(c.nodes[1]!.amqpUrl); m.on("error", () => {});
    const ch = await m.createChannel(); ch.on("error", () => {});
    const s = await ch.assertQueue(q, args).then(r => String(r.messageCount), String);
    await m.close().catch(() => {});
    if (seen.at(-1) !== s) { seen.push(s); log("round", round, "want", (round + 1) * 9, "see", s); }
    await new Promise(r => setTimeout(r, 50));
  }
}
} catch (e) { console.error(e); }
await c.reset(); log("reset");
Deno.exit(0);
