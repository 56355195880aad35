/** Encrypted connections: the right certificates are accepted, and each wrong one is told by its name. */
import assert from "node:assert/strict";
import { realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { ensureBroker, stopBroker } from "@ecomarket/setup/broker/broker";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import {
  type KeyPair,
  makeAuthority,
  makeCertificate,
} from "@ecomarket/setup/machine/certificates";
import { PrivateNode } from "@ecomarket/setup/node/private_node";
import { connectOnce } from "@ecomarket/shared/broker/connection";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { DEAD_LETTER_QUEUE } from "@ecomarket/shared/contract/topology";
import type { Logger } from "@ecomarket/shared/process/log";
import { CONSUMERS } from "@ecomarket/testbed/processes/roles";
import { startReaper } from "@ecomarket/testbed/broker/test_broker";
import { z } from "zod";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { Bench, recordingConsumer } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, startConsumer } from "../support/roles.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { TlsPresenter } from "../support/tls_presenter.ts";

/** Without TLS: what a presenter passes on to. */
const plainBroker = brokerOfFile();

const SIGNUP = { nombre: "Juan Pérez", email: "juan@example.com" };
const LOOPBACK = ["DNS:localhost", "IP:127.0.0.1"];

/** Certificates by what is right or wrong with them, below `folder`. */
async function certificates(folder: string) {
  const files = (name: string) => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  });
  const made = {
    ca: files("ca"),
    otherCa: files("other_ca"),
    good: files("good"),
    wrongHost: files("wrong_host"),
    expired: files("expired"),
    foreign: files("foreign"),
  };
  await makeAuthority(made.ca, { commonName: "ca", days: 1 });
  await makeAuthority(made.otherCa, { commonName: "other", days: 1 });
  const sign = (what: keyof typeof made, names: readonly string[], days: number, ca = made.ca) =>
    makeCertificate(made[what], { commonName: what, names, days }, ca);
  await sign("good", LOOPBACK, 1);
  await sign("wrongHost", ["DNS:broker.example.com"], 1);
  await sign("expired", LOOPBACK, -1);
  await sign("foreign", LOOPBACK, 1, made.otherCa);
  return made;
}

/** An `amqps:` URL of the workshop's user at `port`. */
function amqps(port: number, files: Record<string, string>, host = "localhost"): string {
  const query = new URLSearchParams(files);
  return `amqps://ecomarket_user:ecomarket_password@${host}:${port}?${query}`;
}

/** `deno task publish --count 1`, which may read certificates also where the tests make them. */
const PUBLISH = [
  ...["run", "-q", "-P=publisher", `--allow-read=${tmpdir()}`],
  ...["publisher/publish/publish.ts", "--count", "1"],
];

/** What is said when a person's `publish` cannot connect to `url`. */
async function refusal(url: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stderr } = await runDeno(PUBLISH, { AMQP_URL: url, ...env });
  assert.equal(code, 1, stderr);
  const said = stderr.split("\n").filter((line) => line.startsWith("error: "));
  assert.equal(said.length, 1, stderr);
  assert.doesNotMatch(stderr, /ecomarket_password|^\s+at /m);
  return said[0]!;
}

/** Has the node in `directory` listen on one more port, for clients whose certificate `ca` has signed. */
async function demandClientCertificates(directory: string, ca: string): Promise<number> {
  const node = await PrivateNode.find(directory);
  const [port] = await freePorts(1);
  const { certificate, key } = node!.spec.tls!;
  await node!.ctl(
    "eval",
    `rabbit_networking:start_ssl_listener({"127.0.0.1", ${port}}, [
       {cacertfile, "${ca}"}, {certfile, "${certificate}"}, {keyfile, "${key}"},
       {verify, verify_peer}, {fail_if_no_peer_cert, true}], 1).`,
  );
  return port!;
}

Deno.test("amqps: tells the wrong CA, host name and date of a certificate from each other", async () => {
  await using folder = await temporaryFolder();
  const made = await certificates(folder.path);
  const cacertfile = made.ca.certificate;
  const told = async (which: "good" | "wrongHost" | "expired" | "foreign", files = {}) => {
    await using presenter = await TlsPresenter.open(made[which]);
    // n.b. what the environment says must not turn the verification off.
    return await refusal(amqps(presenter.port, files), {
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    });
  };
  const unknown = /not signed by a CA that is trusted here .*Set AMQP_CA_FILE/;
  assert.match(await told("good"), unknown);
  assert.match(await told("foreign", { cacertfile }), unknown);
  assert.match(
    await told("wrongHost", { cacertfile }),
    /its certificate is for DNS:broker\.example\.com, not for localhost/,
  );
  assert.match(await told("expired", { cacertfile }), /its certificate has expired/);
});

Deno.test("amqps: tells that a port speaks no TLS", async () => {
  const port = plainBroker.node.spec.ports.amqp;
  assert.match(await refusal(amqps(port, {})), /that port speaks no TLS.*\(5671\)/);
});

Deno.test("amqps: comes back once a certificate is renewed on both sides, without a restart", async () => {
  await using folder = await temporaryFolder();
  const made = await certificates(folder.path);
  await using bench = await Bench.open(plainBroker);
  const target = plainBroker.node.spec.ports.amqp;
  const first = await TlsPresenter.open(made.good, target);
  const { port } = first;
  const url = new URL(amqps(port, { cacertfile: made.ca.certificate }));
  url.pathname = new URL(bench.amqpUrl).pathname;
  const consumer = recordingConsumer();
  const warnings: string[] = [];
  const silent = () => {};
  const warning = (text: string, values: Record<string, unknown> = {}) =>
    void warnings.push(`${text} ${Object.values(values).join(" ")}`);
  const connected = Promise.withResolvers<void>();
  const debug = (text: string) => text.startsWith("Connected to") && connected.resolve();
  const log: Logger = { debug, info: silent, warning, error: silent, with: () => log };
  await using _running = bench.run(consumer, {
    amqpUrl: url.href,
    log,
  });
  // n.b. a delivery may come before the set-up is over, and what fails until then is final.
  await connected.promise;
  bench.publishRaw(createUsuarioCreado({ ...SIGNUP, user_id: "before" }));
  await eventually(() => assert.deepEqual(consumer.handled, ["before"]));
  await first[Symbol.asyncDispose]();

  await using _second = await TlsPresenter.open(made.foreign, target, port);
  bench.publishRaw(createUsuarioCreado({ ...SIGNUP, user_id: "later" }));
  const refused = /not signed by a CA that is trusted here/;
  await eventually(() => assert.ok(warnings.some((text) => refused.test(text))));
  assert.deepEqual(consumer.handled, ["before"]);
  await Deno.copyFile(made.otherCa.certificate, made.ca.certificate);
  await eventually(() => assert.deepEqual(consumer.handled, ["before", "later"]));
  await bench.assertEmpty("email_queue", DEAD_LETTER_QUEUE);
});

Deno.test("a broker with TLS", async (t) => {
  const folder = { path: await realpath(await Deno.makeTempDir({ prefix: "ecomarket_test_" })) };
  const reaper = startReaper(folder.path); // It removes the folder, too.
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => reaper.release());
  const directory = join(folder.path, ".broker");
  const [amqp, management] = await freePorts(2);
  const variables: Record<string, string> = { BROKER_DOCKER: "never" };
  const options = {
    directory,
    ports: { amqp: amqp! + 1, management: management! },
    read: (name: string) => variables[name],
  };
  const broker = await ensureBroker({ ...options, tls: true });
  cleanup.defer(async () => void await stopBroker(options));
  const amqpUrl = broker.amqpUrls[0]!;
  const bench = cleanup.use(await Bench.open({ ...broker, amqpUrl }));
  const plain = amqpUrl.replace("amqps:", "amqp:");

  await t.step(
    "is started with a CA whose keys nobody else can read, and is found again",
    async () => {
      assert.equal(new URL(amqpUrl).port, String(amqp));
      assert.equal((await ensureBroker({ ...options, tls: true })).amqpUrls[0], amqpUrl);
      for (const name of ["ca.key", "server.key"]) {
        const { mode } = await Deno.stat(join(directory, "ca", name));
        assert.equal(mode! & 0o777, 0o600, name);
      }
    },
  );

  await t.step("serves the roles in their sandboxes, by name and by address", async () => {
    const consumer = await startConsumer(bench, CONSUMERS.email);
    cleanup.use(consumer);
    const event = createUsuarioCreado(SIGNUP);
    const url = bench.amqpUrl.replace("localhost", "127.0.0.1");
    {
      await using publisher = await RobustPublisher.connect({ urls: [url], log: bench.log });
      assert.deepEqual(await publisher.publish(event), { status: "confirmed" });
    }
    await eventually(() => assertEffects(bench, "email", [event]));
  });

  await t.step(
    "serves who names its CA with AMQP_CA_FILE, and nobody with another one",
    async () => {
      const [url] = bench.amqpUrl.split("?");
      const ca = join(directory, "tls", "ca.pem");
      const { code, stderr } = await runDeno(PUBLISH, { AMQP_URL: url!, AMQP_CA_FILE: ca });
      assert.equal(code, 0, stderr);
      const made = await certificates(join(folder.path, "others"));
      assert.match(
        await refusal(url!, { AMQP_CA_FILE: made.otherCa.certificate }),
        /not signed by a CA that is trusted here/,
      );
    },
  );

  await t.step("tells who comes in clear text that it speaks TLS", async () => {
    assert.match(await refusal(plain), /that port speaks TLS.*Write amqps:\/\//);
  });

  await t.step("has its management API encrypted where MANAGEMENT_URL is https:", async () => {
    const made = await certificates(join(folder.path, "management"));
    const { port } = new URL(broker.managementUrl);
    await using presenter = await TlsPresenter.open(made.good, Number(port));
    const url = (ca: string) =>
      `https://ecomarket_user:ecomarket_password@localhost:${presenter.port}/?cacertfile=${ca}`;
    const overview = z.object({ rabbitmq_version: z.string() });
    const right = new ManagementClient(url(made.ca.certificate));
    assert.equal((await right.get("overview", overview)).rabbitmq_version, broker.version);
    const wrong = new ManagementClient(url(made.otherCa.certificate));
    await assert.rejects(wrong.get("overview", overview), /UnknownIssuer/);
  });

  await t.step(
    "tells a missing client certificate from a wrong one, where it demands one",
    async () => {
      const made = await certificates(join(folder.path, "clients"));
      const port = await demandClientCertificates(join(directory, "node"), made.ca.certificate);
      const client = (files: KeyPair) => ({ certfile: files.certificate, keyfile: files.key });
      const cacertfile = join(directory, "tls", "ca.pem");
      const url = (files: Record<string, string>) => amqps(port, { cacertfile, ...files });
      await (await connectOnce([url(client(made.good))], "test")).close();
      assert.match(
        await refusal(url({})),
        /demands a client certificate, and none was shown.*_FILE/,
      );
      for (const which of ["foreign", "expired"] as const) {
        assert.match(
          await refusal(url(client(made[which]))),
          /does not accept the client certificate/,
        );
      }
    },
  );

  await t.step("is not asked for while one without TLS runs", async () => {
    variables.AMQP_URL = amqpUrl;
    await assert.rejects(ensureBroker({ ...options, tls: true }), /AMQP_URL names one/);
  });
});
