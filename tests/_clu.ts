import { newPrivateCluster, PrivateCluster } from "@ecomarket/setup/private_cluster";
import { connect } from "amqplib";
const dir = await Deno.makeTempDir({ prefix: "ecomarket_try_" });
const t0 = performance.now();
const log = (...a: unknown[]) => console.log(((performance.now() - t0) / 1000).toFixed(1), ...a);
const c = await newPrivateCluster({ directory: dir });
try {
  log(dir, await c.start());
  const m = await connect(c.amqpUrls[1]!);
  m.on("error", () => {});
  const ch = await m.createConfirmChannel();
  ch.on("error", () => {});
  await ch.assertQueue("q", { durable: true, arguments: { "x-queue-type": "quorum" } });
  ch.sendToQueue("q", Buffer.from("1"), { persistent: true });
  await ch.waitForConfirms();
  log(await c.quorumQueue("/", "q"));
  log((await c.nodes[0]!.ctl("cluster_status")).slice(0, 300));
  const leader = (await c.leaderOf("/", "q"))!;
  await leader.kill();
  log("killed", leader.spec.name);
  for (let i = 0; i < 15; i++) {
    log(await c.quorumQueue("/", "q").catch(String));
    await new Promise((r) => setTimeout(r, 500));
  }
  await leader.start();
  log("back");
  for (let i = 0; i < 6; i++) {
    log(await c.quorumQueue("/", "q").catch(String));
    await new Promise((r) => setTimeout(r, 500));
  }
  const l2 = (await c.leaderOf("/", "q"))!;
  await l2.pause();
  log("paused", l2.spec.name);
  for (let i = 0; i < 20; i++) {
    log(await c.quorumQueue("/", "q").catch(String));
    await new Promise((r) => setTimeout(r, 1000));
  }
  await l2.resume();
  log("resumed");
  for (let i = 0; i < 6; i++) {
    log(await c.quorumQueue("/", "q").catch(String));
    await new Promise((r) => setTimeout(r, 500));
  }
  await c.stop();
  log("stopped");
  const f = (await PrivateCluster.find(dir))!;
  log(await f.start());
  log(await f.quorumQueue("/", "q"));
  await f.kill();
  log("killed all");
  log(await f.start());
  for (let i = 0; i < 6; i++) {
    log(await f.quorumQueue("/", "q").catch(String));
    await new Promise((r) => setTimeout(r, 500));
  }
  await f.reset();
  log("reset");
} catch (e) {
  console.error(e);
  await c.kill();
}
Deno.exit(0);
