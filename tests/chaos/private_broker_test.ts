/** The private broker of `deno task broker`, over several lives of its node. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { connect } from "amqplib";
import {
  type Broker,
  type BrokerOptions,
  ensureBroker,
  findBroker,
  resetBroker,
  stopBroker,
} from "@ecomarket/setup/broker/broker";
import { nodePaths } from "@ecomarket/setup/node/node_files";
import { PrivateNode } from "@ecomarket/setup/node/private_node";
import { credentialsFile } from "@ecomarket/shared/process/credentials_file";
import { management } from "@ecomarket/testbed/broker/test_broker";
import { registeredNodes } from "../../setup/node/epmd.ts";
import { environment, listen } from "../support/ladder.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

Deno.test("ensureBroker() with a private node", async (t) => {
  await using folder = await temporaryFolder();
  using stranger = listen(() => {});
  const said: string[] = [];
  const options: BrokerOptions = {
    directory: folder.path,
    ports: { amqp: stranger.port, management: stranger.port },
    read: environment(),
    say: (line) => void said.push(line),
  };
  await using _node = { [Symbol.asyncDispose]: async () => void await resetBroker(options) };
  let broker: Broker;

  await t.step("takes free ports where the usual ones are held, and says so", async () => {
    broker = await ensureBroker(options);
    assert.equal(broker.kind, "private");
    assert.equal(broker.startedByUs, true);
    assert.notEqual(new URL(broker.amqpUrls[0]!).port, String(stranger.port));
    assert.ok(
      said.some((line) => line.startsWith(`Port ${stranger.port} is held by`)),
      said.join(),
    );
  });

  await t.step("leaves a record for other processes, for this user's eyes", async () => {
    const file = join(folder.path, "broker.json");
    const record = JSON.parse(await Deno.readTextFile(file));
    assert.equal(record.amqpUrl, broker.amqpUrls[0]);
    assert.equal(record.managementUrl, broker.managementUrl);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(file)).mode! & 0o077, 0);
  });

  await t.step("takes the same node the second time", async () => {
    const again = await ensureBroker(options);
    assert.deepEqual([again.kind, again.startedByUs], ["private", false]);
    assert.deepEqual(again.amqpUrls, broker.amqpUrls);
    await again.stop();
    assert.equal((await findBroker(options))?.kind, "private");
  });

  await t.step("stopBroker() keeps the data, and the record goes", async () => {
    await declare(broker.amqpUrls[0]!, "kept");
    assert.equal(await stopBroker(options), "private");
    assert.equal(await findBroker(options), undefined);
    await assert.rejects(Deno.stat(join(folder.path, "broker.json")), Deno.errors.NotFound);
    assert.equal(await stopBroker(options), undefined);
  });

  await t.step("starts one node for two commands at once, with the data of before", async () => {
    const both = await Promise.all([inAnotherProcess(options), inAnotherProcess(options)]);
    assert.deepEqual(both.map(({ startedByUs }) => startedByUs).sort(), [false, true]);
    assert.deepEqual(both[0].amqpUrls, both[1].amqpUrls);
    // Both commands have ended, and the node lives.
    assert.deepEqual(await queues(await findBroker(options)), ["kept"]);
  });

  await t.step("replaces a node that was killed behind our back", async () => {
    const node = await PrivateNode.find(join(folder.path, "node"));
    Deno.kill(node!.pid!, "SIGKILL");
    const replaced = await ensureBroker(options);
    assert.equal(replaced.startedByUs, true);
    assert.deepEqual(await queues(replaced), ["kept"]);
  });

  await t.step("resetBroker() stops the node and deletes its data", async () => {
    const { spec } = (await PrivateNode.find(join(folder.path, "node")))!;
    const credentials = credentialsFile("email", folder.path);
    await Deno.mkdir(dirname(credentials), { recursive: true });
    await Deno.writeTextFile(credentials, "{}");
    assert.equal((await resetBroker(options)).length, 1);
    await assert.rejects(Deno.stat(credentials), Deno.errors.NotFound);
    await assert.rejects(Deno.stat(nodePaths(spec.directory).data), Deno.errors.NotFound);
    assert.equal((await registeredNodes(spec.ports.epmd)).size, 0);
  });
});

async function declare(url: string, queue: string): Promise<void> {
  const model = await connect(url);
  const channel = await model.createChannel();
  await channel.assertQueue(queue, { durable: true });
  await model.close();
}

async function queues(broker: Broker | undefined): Promise<readonly string[]> {
  const urls = { amqpUrl: broker!.amqpUrls[0]!, managementUrl: broker!.managementUrl };
  const all = await management(urls, "GET", "/api/queues") as { name: string }[];
  return all.map(({ name }) => name);
}

async function inAnotherProcess({ directory, ports }: BrokerOptions): Promise<Broker> {
  const script = `
    import { ensureBroker } from "@ecomarket/setup/broker/broker";
    const variables = { BROKER_DOCKER: "never", BROKER_INSTALL: "never" };
    const options = ${JSON.stringify({ directory, ports })};
    const broker = await ensureBroker({ ...options, read: (name) => variables[name] });
    console.log(JSON.stringify(broker));`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    cwd: new URL("..", import.meta.url),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
