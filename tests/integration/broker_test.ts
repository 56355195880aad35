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
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { nodePaths } from "@ecomarket/setup/node/node_files";
import { PrivateNode } from "@ecomarket/setup/node/private_node";
import {
  AccessRefusedError,
  BrokerUnreachableError,
  ConfigError,
} from "@ecomarket/shared/base/errors";
import { credentialsFile } from "@ecomarket/shared/process/credentials_file";
import { management, startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { registeredNodes } from "../../setup/node/epmd.ts";
import { probeBroker } from "../../setup/node/probe_broker.ts";

Deno.test("ensureBroker() with a broker that is there", async (t) => {
  await using broker = await startTestBroker();
  await using folder = await temporaryFolder();
  const options = { directory: folder.path, ports: broker.node.spec.ports };

  await t.step("takes the one of AMQP_URL, of a cluster the first that answers", async () => {
    const AMQP_URL = `amqp://nobody@127.0.0.1:1,${broker.amqpUrl}`;
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const found = await ensureBroker({ say, read: environment({ AMQP_URL }) });
    assert.equal(found.kind, "AMQP_URL");
    assert.match(found.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(found.amqpUrls, AMQP_URL.split(","));
    assert.deepEqual(said, [`Broker: RabbitMQ ${found.version}, named by AMQP_URL.`]);
  });

  await t.step("takes the one on the usual port, and does not stop it", async () => {
    const found = await ensureBroker({ ...options, read: environment() });
    assert.equal(found.kind, "local");
    assert.equal(found.startedByUs, false);
    await found.stop();
    assert.equal(await stopBroker(options), undefined);
    assert.equal((await probeBroker(broker.amqpUrl)).found, "broker");
  });

  await t.step("does not fall through when AMQP_URL refuses, and hides the password", async () => {
    const url = broker.amqpUrl.replace("ecomarket_password", "wrong-password");
    const attempt = ensureBroker({ ...options, read: environment({ AMQP_URL: url }) });
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof AccessRefusedError);
      assert.doesNotMatch(error.message, /wrong-password/);
      return true;
    });
  });

  await t.step("deno task broker status tells programs and people", async () => {
    const json = await command(["status", "--json"], { AMQP_URL: broker.amqpUrl });
    assert.equal(json.code, 0);
    assert.deepEqual(JSON.parse(json.stdout).amqpUrls, [broker.amqpUrl]);
    const people = await command(["status"], { AMQP_URL: broker.amqpUrl });
    assert.match(people.stdout, /named by AMQP_URL/);
    assert.match(people.stdout, /user ecomarket_user, password ecomarket_password/);
  });

  await t.step("deno task broker reset refuses to empty the one of AMQP_URL", async () => {
    const { code, stderr } = await command(["reset"], { AMQP_URL: broker.amqpUrl });
    assert.equal(code, 2);
    assert.match(stderr, /it is not ours/);
    assert.equal((await probeBroker(broker.amqpUrl)).found, "broker");
  });

  await t.step("resetBroker() leaves a local broker alone", async () => {
    // n.b. its users stay as well, and so does what their roles know of them.
    const credentials = credentialsFile("email", folder.path);
    await Deno.mkdir(dirname(credentials), { recursive: true });
    await Deno.writeTextFile(credentials, "{}");
    assert.deepEqual(await resetBroker({ ...options, read: environment() }), []);
    await Deno.stat(credentials);
    assert.equal((await probeBroker(broker.amqpUrl)).found, "broker");
  });
});

Deno.test("ensureBroker() does not fall through when AMQP_URL does not answer", async () => {
  const [port] = await freePorts(1);
  const read = environment({ AMQP_URL: `amqp://user:secret@127.0.0.1:${port}` });
  await assert.rejects(ensureBroker({ read }), (error) => {
    assert.ok(error instanceof BrokerUnreachableError);
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

Deno.test("resetBroker() refuses when AMQP_URL names the broker", async () => {
  const read = environment({ AMQP_URL: "amqp://127.0.0.1:1" });
  await assert.rejects(resetBroker({ read }), ConfigError);
});

Deno.test("probeBroker() is done in time with whatever holds the port", async (t) => {
  const strangers: Record<string, (connection: Deno.Conn) => unknown> = {
    "says nothing": () => {},
    "hangs up": (connection) => connection.close(),
    "speaks another protocol": (connection) => connection.write(bytes("SSH-2.0-OpenSSH_9.2\r\n")),
    "says a byte now and then": (connection) => drip(connection),
  };
  for (const [what, behave] of Object.entries(strangers)) {
    await t.step({
      name: what,
      // n.b. a connection that drips is left to the end of the process: amqplib gives no hold on it.
      sanitizeOps: what !== "says a byte now and then",
      sanitizeResources: what !== "says a byte now and then",
      fn: async () => {
        using stranger = listen(behave);
        const startedAt = performance.now();
        const probe = await probeBroker(`amqp://a:b@127.0.0.1:${stranger.port}`, 500);
        assert.equal(probe.found, "stranger");
        assert.ok(performance.now() - startedAt < 2_000);
      },
    });
  }
});

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

/** An environment of these variables alone, in which Docker and `apt-get` are out of the question. */
function environment(variables: Record<string, string> = {}): (name: string) => string | undefined {
  const all: Record<string, string> = {
    BROKER_DOCKER: "never",
    BROKER_INSTALL: "never",
    ...variables,
  };
  return (name) => all[name];
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "ecomarket_test_ladder_" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Listens on a free port and does with each connection what `behave` says. */
function listen(behave: (connection: Deno.Conn) => unknown): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      await Promise.resolve(behave(connection)).catch(() => {});
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => {
      listener.close();
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // It closed itself.
        }
      }
    },
  };
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Writes the first byte of a frame again and again, until the connection is closed. */
async function drip(connection: Deno.Conn): Promise<void> {
  while (true) {
    await connection.write(Uint8Array.of(1));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

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

const ROOT = new URL("../..", import.meta.url);

/** Runs `deno task broker`, with nothing of the person's environment that could change its answer. */
async function command(args: readonly string[], variables: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "setup/broker/broker_command.ts", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited("PATH", "HOME", "DENO_DIR"), ...variables },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function inherited(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, Deno.env.get(name) ?? ""])
      .filter(([, value]) => value !== ""),
  );
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
