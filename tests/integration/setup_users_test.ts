/** `deno task setup-queues --users`, in its sandbox, in a copy of the project. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { connect } from "amqplib";
import { z } from "zod";
import { ManagementClient, vhostOf } from "@ecomarket/shared/broker/management";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { brokerRoles, brokerUser } from "@ecomarket/shared/contract/permissions";
import { credentialsSchema, withCredentials } from "@ecomarket/shared/process/credentials_file";
import { passwordVariable } from "../../setup/queues/setup_users.ts";
import { HAS_FILE_MODES, stopProcess } from "@ecomarket/shared/process/platform";
import { countEffects } from "@ecomarket/testbed/stores/effects";
import { testVhost } from "@ecomarket/testbed/broker/test_broker";
import { copyProject, type ProjectCopy } from "../../testbed/project/project_copy.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();
const GIVEN = "una-clave-del-entorno";

function setupUsers(
  copy: ProjectCopy,
  amqpUrl: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  return setupQueues(copy, amqpUrl, ["--users", ...args], env);
}

async function setupQueues(
  copy: ProjectCopy,
  amqpUrl: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=setup-queues", "setup/queues/setup_queues.ts", ...args],
    cwd: copy.path,
    env: { AMQP_URL: amqpUrl, MANAGEMENT_URL: broker.managementUrl, FAST_RETRY: "1", ...env },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout) + text(stderr) };
}

/** Has the copy find `amqpUrl` where `deno task broker start` notes its broker. */
async function noteBroker(copy: ProjectCopy, amqpUrl: string): Promise<void> {
  await Deno.mkdir(join(copy.path, ".broker"));
  const { managementUrl } = broker;
  const noted = join(copy.path, ".broker", "broker.json");
  await Deno.writeTextFile(noted, JSON.stringify({ amqpUrl, managementUrl }));
}

const folderOf = (copy: ProjectCopy) => join(copy.path, ".broker", "credentials");

async function credentialsOf(copy: ProjectCopy, role: string) {
  const text = await Deno.readTextFile(join(folderOf(copy), `${role}.json`));
  return credentialsSchema.parse(JSON.parse(text));
}

async function canConnect(url: string): Promise<boolean> {
  try {
    await (await connect(url)).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("setup-queues --users makes a user per role, and tells no password", async () => {
  await using copy = await copyProject();
  await using vhost = await testVhost(broker);
  const { code, output } = await setupUsers(
    copy,
    vhost.amqpUrl,
    ["--subscriber", "audit:audit_queue"],
    { BROKER_PASSWORD_MONITOR: GIVEN },
  );
  assert.equal(code, 0, output);
  assert.match(output, /│ email +│ configure \^email_queue\(\\\.\.\*\)\?\$ +│/);
  assert.match(output, /9 users stand/);
  const [, rights = ""] = output.split("bindings stand.");
  assert.ok(rights.split("\n").every((line) => line.length <= 80), rights);

  const client = new ManagementClient(broker.managementUrl);
  const roles = brokerRoles({ audit: "audit_queue" });
  for (const { name, permissions } of roles) {
    const path = `permissions/${vhostOf(vhost.amqpUrl)}/${brokerUser(name)}`;
    const standing = await client.get(
      path,
      z.object({
        configure: z.string(),
        write: z.string(),
        read: z.string(),
      }),
    );
    assert.deepEqual(standing, permissions, name);
    const credentials = name === "monitor"
      ? { user: brokerUser(name), password: GIVEN }
      : await credentialsOf(copy, name);
    assert.ok(await canConnect(withCredentials(vhost.amqpUrl, credentials)), name);
    assert.ok(!output.includes(credentials.password), name);
  }

  // What the environment gave is in no file; what was generated is its owner's alone.
  const files: string[] = [];
  for await (const { name } of Deno.readDir(folderOf(copy))) files.push(name);
  files.splice(files.indexOf("lock"), 1);
  const expected = roles.map(({ name }) => `${name}.json`).filter((it) => it !== "monitor.json");
  assert.deepEqual(files.sort(), expected.sort());
  if (!HAS_FILE_MODES) return;
  const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assert.equal(await modeOf(folderOf(copy)), 0o700);
  for (const name of files) assert.equal(await modeOf(join(folderOf(copy), name)), 0o600, name);
});

Deno.test("setup-queues --users keeps passwords, takes away what was granted besides, and rotates", async () => {
  await using copy = await copyProject();
  await using vhost = await testVhost(broker);
  await setupUsers(copy, vhost.amqpUrl);
  const first = await credentialsOf(copy, "email");
  const client = new ManagementClient(broker.managementUrl);
  const path = `permissions/${vhostOf(vhost.amqpUrl)}/${first.user}`;
  await client.put(path, { configure: ".*", write: ".*", read: ".*" });

  assert.equal((await setupUsers(copy, vhost.amqpUrl)).code, 0);
  assert.deepEqual(await credentialsOf(copy, "email"), first);
  const { configure } = await client.get(path, z.object({ configure: z.string() }));
  assert.equal(configure, "^email_queue(\\..*)?$");

  assert.equal((await setupUsers(copy, vhost.amqpUrl, ["--rotate"])).code, 0);
  const rotated = await credentialsOf(copy, "email");
  assert.notEqual(rotated.password, first.password);
  assert.ok(await canConnect(withCredentials(vhost.amqpUrl, rotated)));
  assert.ok(!await canConnect(withCredentials(vhost.amqpUrl, first)));
});

Deno.test("setup-queues --users refuses what it cannot use before it changes anything", async () => {
  await using copy = await copyProject();
  const nobody = "amqp://127.0.0.1:1";
  const short = await setupUsers(copy, nobody, [], { BROKER_PASSWORD_EMAIL: "corta" });
  assert.equal(short.code, 2);
  assert.match(short.output, /BROKER_PASSWORD_EMAIL must have 12 characters or more/);
  assert.ok(!short.output.includes("corta"));
  const shared = await setupUsers(copy, nobody, ["--subscriber", "audit:email_queue"]);
  assert.equal(shared.code, 2);
  assert.match(shared.output, /"email_queue" of "audit" is not its own/);
});

Deno.test("setup-queues --users run at once by several leaves each role a password that the broker takes", async () => {
  await using copy = await copyProject();
  await using vhost = await testVhost(broker);
  const runs = [0, 1, 2].map(() => setupUsers(copy, vhost.amqpUrl, ["--rotate"]));
  for (const { code, output } of await Promise.all(runs)) assert.equal(code, 0, output);
  for (const { name } of brokerRoles()) {
    const url = withCredentials(vhost.amqpUrl, await credentialsOf(copy, name));
    assert.ok(await canConnect(url), name);
  }
});

Deno.test("setup-queues --users writes no password while another run does", async () => {
  await using copy = await copyProject();
  await using vhost = await testVhost(broker);
  await Deno.mkdir(folderOf(copy), { recursive: true });
  const another = tryLockFolder(folderOf(copy));
  assert.ok(another);
  const run = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=setup-queues", "setup/queues/setup_queues.ts", "--users"],
    cwd: copy.path,
    env: { AMQP_URL: vhost.amqpUrl, MANAGEMENT_URL: broker.managementUrl, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => void await stopProcess(run, 15_000));
  const { value } = await run.stderr.pipeThrough(new TextDecoderStream()).getReader().read();
  assert.equal(value, "Another setup-queues makes users: waiting for it.\n");
  assert.deepEqual([...Deno.readDirSync(folderOf(copy))].map(({ name }) => name), ["lock"]);

  another[Symbol.dispose]();
  assert.equal((await run.status).code, 0);
  assert.ok(await canConnect(withCredentials(vhost.amqpUrl, await credentialsOf(copy, "email"))));
});

Deno.test("setup-queues --users says which variables to set where it can keep no password", async () => {
  await using copy = await copyProject();
  await using vhost = await testVhost(broker);
  await Deno.mkdir(join(copy.path, ".broker"));
  await Deno.symlink("nowhere", folderOf(copy));
  const { code, output } = await setupUsers(copy, vhost.amqpUrl, [], {
    BROKER_PASSWORD_PUBLISHER: GIVEN,
  });
  assert.equal(code, 2, output);
  assert.match(output, /password of users-api .* cannot be kept .*BROKER_PASSWORD_USERS_API/);
  const variables = brokerRoles().map(({ name }) => [passwordVariable(name), GIVEN]);
  const given = await setupUsers(copy, vhost.amqpUrl, [], Object.fromEntries(variables));
  assert.equal(given.code, 0, given.output);
  const credentials = { user: brokerUser("email"), password: GIVEN };
  assert.ok(await canConnect(withCredentials(vhost.amqpUrl, credentials)));
});

Deno.test("setup-queues makes no users on a broker that AMQP_URL names, unless it is asked to", async () => {
  await using copy = await copyProject();
  await using vhost = await testVhost(broker);
  await noteBroker(copy, vhost.amqpUrl);
  const { code, output } = await setupQueues(copy, vhost.amqpUrl);
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /users stand/);
  await assert.rejects(Deno.stat(folderOf(copy)), Deno.errors.NotFound);
});

Deno.test("a role connects as its own user, once setup-queues has run on the broker that we started", async () => {
  await using copy = await copyProject();
  const { amqpUrl, managementUrl } = broker;
  await noteBroker(copy, amqpUrl);
  const made = await setupQueues(copy, "", [], { MANAGEMENT_URL: "" });
  assert.equal(made.code, 0, made.output);
  assert.match(made.output, /8 users stand, each with the rights of its role/);

  // n.b. without a flag: a flag would take the place of the set's list, and its credentials' file.
  const email = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=email", "consumers/email.ts"],
    cwd: copy.path,
    env: { AMQP_URL: "", DATA_DIR: "", FAST_RETRY: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => void await stopProcess(email, 15_000));
  const published = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", "-P=publisher", "publisher/publish/publish.ts"],
      ...["--nombre", "Juan Pérez", "--email", "juan@example.com"],
    ],
    cwd: copy.path,
    env: { AMQP_URL: "" },
    stdin: "null",
  }).output();
  assert.equal(published.code, 0, new TextDecoder().decode(published.stderr));
  const dataDirOf = (name: string) => join(copy.path, "data", name);
  await eventually(() => assert.equal(countEffects("email", dataDirOf), 1));
  const client = new ManagementClient(managementUrl);
  await eventually(async () => {
    const connections = await client.get("connections", z.array(z.object({ user: z.string() })));
    assert.ok(connections.some(({ user }) => user === "ecomarket-email"), "it is its own user");
  });
});
