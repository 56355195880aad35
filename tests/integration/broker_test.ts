/** `deno task broker` with brokers that are there, and with whatever else holds a port. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { ensureBroker, resetBroker, stopBroker } from "@ecomarket/setup/broker/broker";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import {
  AccessRefusedError,
  BrokerUnreachableError,
  ConfigError,
} from "@ecomarket/shared/base/errors";
import { credentialsFile } from "@ecomarket/shared/process/credentials_file";
import { startTestBroker } from "@ecomarket/testbed/broker/test_broker";
import { developmentCa } from "../../setup/broker/development_ca.ts";
import { probeBroker } from "../../setup/node/probe_broker.ts";
import { environment, listen } from "../support/ladder.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

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

Deno.test("resetBroker() takes the keys and certificates of the private broker along, and no others", async () => {
  await using folder = await temporaryFolder();
  const made = await developmentCa(folder.path);
  const company = join(folder.path, "tls", "company_ca.pem");
  await Deno.copyFile(made.ca, company);
  await resetBroker({ directory: folder.path, read: environment() });
  await assert.rejects(Deno.stat(dirname(made.key)), Deno.errors.NotFound);
  await assert.rejects(Deno.stat(made.ca), Deno.errors.NotFound);
  await Deno.stat(company);
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
