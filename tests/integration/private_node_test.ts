import assert from "node:assert/strict";
import { connect } from "amqplib";
import { Buffer } from "node:buffer";
import { freePorts, isPortFree } from "@ecomarket/setup/machine/free_ports";
import { nodePaths, type NodePorts } from "@ecomarket/setup/node/node_files";
import { newPrivateNode, PrivateNode } from "@ecomarket/setup/node/private_node";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { poll } from "@ecomarket/shared/base/poll";
import { isProcessAlive } from "@ecomarket/shared/process/platform";
import { management, startTestBroker, testVhost } from "@ecomarket/testbed/broker/test_broker";
import { registeredNodes } from "../../setup/node/epmd.ts";
import { probeBroker } from "../../setup/node/probe_broker.ts";

Deno.test("PrivateNode", async (t) => {
  await using broker = await startTestBroker();
  const { ports } = broker.node.spec;

  await t.step("listens on the loopback only", async () => {
    const open = await openFromOutside(Object.values(ports));
    assert.deepEqual(open, []);
    for (const port of Object.values(ports)) assert.equal(await isPortFree(port), false);
  });

  await t.step("knows the workshop's user and no guest", async () => {
    const users = await management(broker, "GET", "/api/users") as { name: string }[];
    assert.deepEqual(users.map(({ name }) => name), ["ecomarket_user"]);
  });

  await t.step(".find() controls the node from elsewhere", async () => {
    const same = await PrivateNode.find(broker.node.spec.directory);
    assert.equal(same?.pid, broker.node.pid);
    assert.equal(await same?.isRunning(), true);
  });

  await t.step(".kill() loses nothing that was confirmed", async () => {
    await publishConfirmed(broker.amqpUrl, "survivor");
    const pid = broker.node.pid!;
    await broker.kill();
    assert.equal(isProcessAlive(pid), false);
    await broker.start();
    assert.notEqual(broker.node.pid, pid);
    assert.equal(await take(broker.amqpUrl), "survivor");
  });

  await t.step(".restart() keeps the ports and the data", async () => {
    await publishConfirmed(broker.amqpUrl, "after restart");
    const pid = broker.node.pid;
    await broker.restart();
    assert.notEqual(broker.node.pid, pid);
    assert.deepEqual(broker.node.spec.ports, ports);
    assert.equal(await take(broker.amqpUrl), "after restart");
  });

  await t.step({
    name: ".start() starts a node anew that ends while it is waited for",
    ignore: Deno.build.os === "windows", // A node cannot be paused there.
    fn: async () => {
      const pid = broker.node.pid!;
      const found = await PrivateNode.find(broker.node.spec.directory);
      await found!.pause();
      const starting = found!.start();
      // By the time that this has given up, start() has found it running, and waits for its answer.
      assert.equal((await probeBroker(broker.amqpUrl, 1_000)).found, "stranger");
      Deno.kill(pid, "SIGKILL");
      await starting;
      assert.notEqual(found!.pid, pid);
      assert.equal((await probeBroker(broker.amqpUrl)).found, "broker");
    },
  });

  await t.step("testVhost() separates tests, and takes its queues along", async () => {
    let name: string;
    {
      await using vhost = await testVhost(broker);
      name = vhost.name;
      await publishConfirmed(vhost.amqpUrl, "mine");
      assert.equal(await take(vhost.amqpUrl), "mine");
    }
    await assert.rejects(management(broker, "GET", `/api/vhosts/${name}`), /404/);
  });
});

Deno.test("startTestBroker() starts brokers side by side, and leaves nothing behind", async () => {
  const left: { pid: number; ports: NodePorts; directory: string }[] = [];
  {
    await using brokers = new AsyncDisposableStack();
    const both = await Promise.all([startTestBroker(), startTestBroker()]);
    for (const broker of both) {
      brokers.use(broker);
      left.push({ ...broker.node.spec, pid: broker.node.pid! });
    }
    await publishConfirmed(both[0].amqpUrl, "for the first");
    await assert.rejects(take(both[1].amqpUrl), /404/);
  }
  for (const { pid, ports, directory } of left) await assertNothingLeft(pid, ports, directory);
});

Deno.test("startTestBroker() leaves nothing behind when the test run is killed", async () => {
  const script = `
    import { startTestBroker } from "./testbed/broker/test_broker.ts";
    const { node } = await startTestBroker();
    console.log(JSON.stringify({ pid: node.pid, spec: node.spec }));
    setInterval(() => {}, 1_000);`;
  const run = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    cwd: new URL("../..", import.meta.url),
    stdout: "piped",
  }).spawn();
  const reader = run.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { pid, spec } = JSON.parse((await reader.read()).value!);
  assert.equal(isProcessAlive(pid), true);

  run.kill("SIGKILL");
  await run.status;
  await reader.cancel();

  const gone = () => Deno.stat(spec.directory).then(() => undefined, () => true);
  assert.equal(await poll(gone, { timeoutMs: 10_000 }), true, "the reaper did not run");
  await assertNothingLeft(pid, spec.ports, spec.directory);
});

Deno.test("PrivateNode.start() says why the node ended, and where its log is", async () => {
  await using folder = await temporaryFolder();
  const [amqp] = await freePorts(1);
  using _holder = Deno.listen({ hostname: "127.0.0.1", port: amqp! });
  const node = await newPrivateNode({ directory: folder.path, ports: { amqp: amqp! } });

  await assert.rejects(node.start(), (error) => {
    assert.ok(error instanceof BrokerSetupError);
    assert.match(error.message, /ecomarket_dev@localhost ended while it started/);
    assert.match(error.message, new RegExp(String(amqp)));
    assert.ok(error.message.includes(nodePaths(folder.path).log), error.message);
    return true;
  });
  assert.equal(await node.isRunning(), false);
});

Deno.test("PrivateNode.start() leaves no node when it is aborted", async () => {
  await using folder = await temporaryFolder();
  const node = await newPrivateNode({ directory: folder.path });
  const controller = new AbortController();
  const starting = node.start({ signal: controller.signal });
  assert.ok(await poll(() => node.pid, { timeoutMs: 10_000 }));
  controller.abort();
  await assert.rejects(starting, { name: "AbortError" });
  assert.equal(await node.isRunning(), false);
  await assertNothingLeft(node.pid!, node.spec.ports);
});

Deno.test("PrivateNode.kill() never touches a process that took over the node's id", async () => {
  await using folder = await temporaryFolder();
  const bystander = new Deno.Command(Deno.execPath(), {
    args: ["eval", "setInterval(() => {}, 1_000)"],
  }).spawn();
  const { spec } = await newPrivateNode({ directory: folder.path });
  const state = JSON.stringify({ spec, pid: bystander.pid });
  await Deno.writeTextFile(nodePaths(folder.path).stateFile, state);

  const node = await PrivateNode.find(folder.path);
  await node!.kill();
  await node!.stop();

  assert.equal(isProcessAlive(bystander.pid), true);
  bystander.kill("SIGKILL");
  await bystander.status;
});

async function assertNothingLeft(pid: number, ports: NodePorts, directory?: string) {
  // A process that is not our child is a zombie until somebody collects it: the ports tell for sure.
  for (const [name, port] of Object.entries(ports)) {
    const free = async () => await isPortFree(port) || undefined;
    assert.equal(await poll(free, { timeoutMs: 5_000 }), true, `the ${name} port is still open`);
  }
  assert.equal((await registeredNodes(ports.epmd)).size, 0, `process ${pid} is still registered`);
  if (directory) await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
}

/**
 * Which of `ports` accept connections on an address of this machine that others can reach. Asked
 * from a process outside of our sandbox, which would refuse before the node does.
 */
async function openFromOutside(ports: readonly number[]): Promise<readonly string[]> {
  const addresses = Deno.networkInterfaces().map(({ address }) => address)
    .filter((address) => !/^(127\.|::1$|fe80:)/.test(address));
  const script = `
    const open = [];
    for (const hostname of ${JSON.stringify(addresses)}) {
      for (const port of ${JSON.stringify(ports)}) {
        await Deno.connect({ hostname, port }).then(
          () => open.push(hostname + " " + port),
          (error) => error instanceof Deno.errors.ConnectionRefused || open.push(String(error)),
        );
      }
    }
    console.log(JSON.stringify(open));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "ecomarket_test_node_" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const QUEUE = "private_node_test";

async function publishConfirmed(url: string, text: string): Promise<void> {
  const model = await connect(url);
  model.on("error", () => {});
  const channel = await model.createConfirmChannel();
  await channel.assertQueue(QUEUE, { durable: true, arguments: { "x-queue-type": "quorum" } });
  channel.sendToQueue(QUEUE, Buffer.from(text), { persistent: true });
  await channel.waitForConfirms();
  await model.close();
}

/** Takes the one message of the queue. A restarted quorum queue first elects its leader. */
async function take(url: string): Promise<string> {
  const model = await connect(url);
  model.on("error", () => {});
  try {
    const channel = await model.createChannel();
    channel.on("error", () => {});
    const get = async () => await channel.get(QUEUE, { noAck: true }) || undefined;
    const message = await poll(get, { timeoutMs: 10_000 });
    return message!.content.toString();
  } finally {
    await model.close();
  }
}
