import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { type Channel, connect } from "amqplib";
import { ensureBroker, findBroker, resetBroker } from "@ecomarket/setup/broker/broker";
import { freePorts, isPortFree } from "@ecomarket/setup/machine/free_ports";
import { PrivateCluster } from "@ecomarket/setup/node/private_cluster";
import type { PrivateNode } from "@ecomarket/setup/node/private_node";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { poll } from "@ecomarket/shared/base/poll";
import { amqpUrls } from "@ecomarket/shared/process/config";
import { isProcessAlive } from "@ecomarket/shared/process/platform";
import { startTestCluster } from "@ecomarket/testbed/broker/test_broker";
import { registeredNodes } from "../../setup/node/epmd.ts";
import { probeBroker } from "../../setup/node/probe_broker.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const QUEUE = "private_cluster_test";

// One cluster for all of it: each start costs the better part of half a minute.
Deno.test("PrivateCluster", async (t) => {
  await using broker = await startTestCluster();
  const { cluster, directory } = broker;
  const [amqp, management] = await freePorts(2);
  const options = {
    directory,
    ports: { amqp: amqp!, management: management! },
    read: (name: string) => /^BROKER_(DOCKER|INSTALL)$/.test(name) ? "never" : undefined,
  };
  const names = cluster.nodes.map((node) => node.spec.name);
  let lost: PrivateNode;

  await t.step(".start() makes three nodes one broker, and each has an AMQP URL", async () => {
    assert.equal(cluster.amqpUrls.length, 3);
    assert.equal(new Set(cluster.amqpUrls).size, 3);
    for (const url of cluster.amqpUrls) assert.equal((await probeBroker(url)).found, "broker");
    const status = JSON.parse(await cluster.nodes[2]!.ctl("cluster_status", "--formatter=json"));
    assert.deepEqual(status.running_nodes.sort(), names);
  });

  await t.step("PrivateNode.ctl() throws with the words of rabbitmqctl", async () => {
    await assert.rejects(cluster.nodes[0]!.ctl("delete_user", "nobody"), (error) => {
      assert.ok(error instanceof BrokerSetupError);
      assert.match(
        error.message,
        /`rabbitmqctl delete_user nobody` failed on ecomarket_1@localhost/,
      );
      assert.match(error.message, /User .nobody. does not exist/);
      return true;
    });
  });

  await t.step("ensureBroker() takes it, and broker.json has a URL for each node", async () => {
    const broker = await ensureBroker(options);
    assert.deepEqual([broker.kind, broker.amqpUrls], ["private", cluster.amqpUrls]);
    assert.deepEqual((await findBroker(options))?.amqpUrls, cluster.amqpUrls);
    const { amqpUrl } = JSON.parse(await Deno.readTextFile(join(directory, "broker.json")));
    assert.deepEqual(amqpUrls(() => amqpUrl), cluster.amqpUrls);
  });

  await t.step("ensureBroker() refuses to start a broker of another size beside it", async () => {
    await assert.rejects(ensureBroker({ ...options, size: 1 }), (error) => {
      assert.ok(error instanceof BrokerSetupError);
      assert.match(error.message, /of one node: one of ours with 3 nodes .* broker stop$/);
      return true;
    });
  });

  await t.step("a quorum queue has a member on each node", async () => {
    await publish(cluster.amqpUrls[0]!, "before");
    const queue = await cluster.quorumQueue("/", QUEUE);
    assert.deepEqual([...queue.members].sort(), names);
    assert.deepEqual([...queue.online].sort(), names);
  });

  await t.step("the queue outlives the node that leads it", async () => {
    lost = (await cluster.leaderOf("/", QUEUE))!;
    await broker.kill(lost);
    assert.deepEqual(await cluster.missingNodes(), [lost]);
    assert.notEqual((await probeBroker(lost.amqpUrl)).found, "broker");

    const elected = await poll(() => cluster.leaderOf("/", QUEUE), { timeoutMs: 10_000 });
    assert.notEqual(elected, lost);
    for (const node of cluster.nodes.filter((node) => node !== lost)) {
      await publish(node.amqpUrl, `through ${node.spec.name}`);
    }
    assert.equal(await depth(elected!.amqpUrl), 3);
  });

  await t.step("ensureBroker() brings the lost node back, and it takes part again", async () => {
    const said: string[] = [];
    const found = await ensureBroker({ ...options, say: (line) => void said.push(line) });
    assert.equal(found.kind, "private");
    assert.ok(said.some((line) => line.includes(lost.spec.name)), said.join("\n"));
    assert.deepEqual(await cluster.missingNodes(), []);

    const complete = async () => {
      const { online } = await cluster.quorumQueue("/", QUEUE);
      return online.length === 3 ? true : undefined;
    };
    assert.ok(await poll(complete, { timeoutMs: 20_000 }), "the member did not come back");
    await publish(lost.amqpUrl, "through the lost node");
    assert.equal(await depth(lost.amqpUrl), 4);
  });

  await t.step({
    name: "a node that is paused answers nobody, and the queues that others lead go on",
    ignore: Deno.build.os === "windows",
    fn: async () => {
      const leader = (await cluster.leaderOf("/", QUEUE))!;
      const paused = cluster.nodes.find((node) => node !== leader)!;
      await paused.pause();
      assert.equal((await probeBroker(paused.amqpUrl, 500)).found, "stranger");
      await publish(leader.amqpUrl, "past the paused node");
      await paused.resume();
      const answers = async () =>
        (await probeBroker(paused.amqpUrl)).found === "broker" || undefined;
      assert.ok(await poll(answers, { timeoutMs: 10_000 }));
    },
  });

  await t.step(".kill() and .start() lose nothing that was confirmed", async () => {
    await cluster.kill();
    const { epmd } = cluster.nodes[0]!.spec.ports;
    assert.equal(await isPortFree(epmd), true);
    await cluster.start();
    // n.b. a leader that was just elected may not have read all of its log yet.
    const all = async () => await depth(cluster.amqpUrls[1]!) === 5 || undefined;
    assert.ok(await poll(all, { timeoutMs: 10_000 }), "messages are missing");
  });

  await t.step("resetBroker() leaves no process, no port and no file", async () => {
    const pids = cluster.nodes.map((node) => node.pid!);
    const ports = cluster.nodes.flatMap((node) => Object.values(node.spec.ports));
    assert.ok(pids.every(isProcessAlive));

    assert.equal((await resetBroker(options)).length, 1);

    assert.equal(await findBroker(options), undefined);
    assert.equal(await PrivateCluster.find(cluster.directory), undefined);
    await assert.rejects(Deno.stat(cluster.directory), Deno.errors.NotFound);
    await assertAllFree(ports);
  });
});

Deno.test("startTestCluster() leaves nothing when the test run is killed as it starts", async () => {
  await using folder = await temporaryFolder();
  const script = `
    import { startTestCluster } from "./testbed/broker/test_broker.ts";
    await startTestCluster();`;
  const run = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    cwd: new URL("../..", import.meta.url),
    env: { TMPDIR: folder.path, TEMP: folder.path },
  }).spawn();
  // The first node is up, and the others are on their way: each must be found and ended.
  const starting = async () => {
    const [test] = [...Deno.readDirSync(folder.path)];
    const cluster = test && await PrivateCluster.find(join(folder.path, test.name, "cluster"));
    if (!cluster?.nodes.every((node) => node.pid !== undefined)) return undefined;
    return (await cluster.missingNodes()).length < 3 ? cluster : undefined;
  };
  const cluster = await poll(starting, { timeoutMs: 30_000 });

  run.kill("SIGKILL");
  await run.status;

  assert.ok(cluster, "the nodes did not start");
  const gone = () => [...Deno.readDirSync(folder.path)].length === 0 || undefined;
  assert.ok(await poll(gone, { timeoutMs: 20_000 }), "the reaper did not run");
  for (const { spec } of cluster.nodes) {
    assert.equal((await registeredNodes(spec.ports.epmd)).size, 0);
    await assertAllFree(Object.values(spec.ports));
  }
});

async function assertAllFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const free = async () => await isPortFree(port) || undefined;
    assert.ok(await poll(free, { timeoutMs: 5_000 }), `port ${port} is still open`);
  }
}

/** Publishes one message, confirmed, by way of the node at `url`. */
async function publish(url: string, text: string): Promise<void> {
  const model = await connect(url);
  model.on("error", () => {});
  try {
    const channel = await model.createConfirmChannel();
    await declare(channel);
    channel.sendToQueue(QUEUE, Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();
  } finally {
    await model.close();
  }
}

/** How many messages are in the queue, asked by way of the node at `url`. */
async function depth(url: string): Promise<number> {
  const model = await connect(url);
  model.on("error", () => {});
  try {
    return (await declare(await model.createChannel())).messageCount;
  } finally {
    await model.close();
  }
}

async function declare(channel: Channel) {
  channel.on("error", () => {});
  return await channel.assertQueue(QUEUE, {
    durable: true,
    arguments: { "x-queue-type": "quorum" },
  });
}
