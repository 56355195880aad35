/**
 * The roles in containers: they run what the tasks run, in the same sandbox, each as its own user of the
 * broker, and may do no more. n.b. Docker itself is not at hand here: this reads the files.
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { brokerRoles, brokerUser } from "@ecomarket/shared/contract/permissions";
import { SERIES, seriesOf } from "../../tasks/doctor/releases.ts";
import { passwordVariable } from "../../setup/queues/setup_users.ts";
import { ROOT } from "../support/project_files.ts";

const roleSchema = z.object({
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  user: z.string(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      profiles: z.array(z.string()).default([]),
      image: z.string(),
      ports: z.array(z.string()).default([]),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

const read = (path: string) => Deno.readTextFile(`${ROOT}/${path}`);
const compose = composeSchema.parse(parse(await read("docker-compose.yml"), { merge: true }));
const roles = Object.entries(compose.services)
  .filter(([, { profiles }]) => profiles.includes("roles"))
  .map(([name, service]) => ({ name, ...roleSchema.parse(service) }));

/** The task of the service `name`. */
const taskOf = (name: string) =>
  ["setup-queues", "users-api"].includes(name) ? name : `consumer:${name}`;

Deno.test("docker-compose.yml runs each role as its task does, and lets it reach the broker besides", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  assert.deepEqual(roles.map(({ name }) => name).sort(), [
    "analytics",
    "dead-letter",
    "email",
    "loyalty",
    "setup-queues",
    "users-api",
  ]);
  for (const { name, command } of roles) {
    const ofContainer = ["--cached-only", "--no-prompt"];
    const words = command.filter((word) => !ofContainer.includes(word));
    const net = words.find((word) => word.startsWith("--allow-net="));
    const own = name === "users-api" ? "0.0.0.0:8000," : "";
    const api = name === "setup-queues" ? ",rabbitmq:15672" : "";
    assert.equal(net, `--allow-net=127.0.0.1,${own}rabbitmq:5672${api}`, name);
    const users = name === "setup-queues" ? " --users" : "";
    assert.equal(
      words.filter((word) => word !== net).join(" "),
      `${tasks[taskOf(name)].command}${users}`,
    );
  }
});

/** What the variable `name` is to Compose, where nobody has set it. */
const fromEnvironment = (name: string) => `\${${name}:-}`;

Deno.test("docker-compose.yml connects each role as its own user, and gives none another one's password", () => {
  const variables = brokerRoles().map(({ name }) => passwordVariable(name));
  for (const { name, environment } of roles) {
    const text = JSON.stringify(environment);
    const known = variables.filter((variable) => text.includes(fromEnvironment(variable)));
    if (name === "setup-queues") {
      assert.deepEqual(known, variables);
      for (const variable of variables) {
        assert.equal(environment[variable], fromEnvironment(variable));
      }
      continue;
    }
    assert.deepEqual(known, [passwordVariable(name)], name);
    const credentials = `${brokerUser(name)}:${fromEnvironment(passwordVariable(name))}`;
    assert.equal(environment.AMQP_URL, `amqp://${credentials}@rabbitmq:5672`);
    assert.ok(!text.includes("ecomarket_user") && !text.includes("ADMIN"), name);
  }
});

Deno.test(".env.example names each variable of a password that docker-compose.yml takes, with no value", async () => {
  const variables = brokerRoles().map(({ name }) => passwordVariable(name));
  const named = [...(await read(".env.example")).matchAll(/^#?([A-Z_]+)=(.*)$/gm)];
  const expected = [...variables, "BROKER_ADMIN_PASSWORD", "RABBITMQ_TAG"];
  assert.deepEqual(named.map(([, name]) => name), expected);
  assert.ok(named.every(([, , value]) => value === ""));
  const taken = [...(await read("docker-compose.yml")).matchAll(/\$\{((?:BROKER|RABBITMQ)_\w+)/g)];
  assert.deepEqual(new Set(taken.map(([, name]) => name)), new Set(expected));
  const ignored = [await read(".gitignore"), await read(".dockerignore")];
  for (const text of ignored) assert.match(text, /^\/?\.env$/m);
});

Deno.test("docker-compose.yml runs a broker of a series that is supported, on the loopback only, and names one that was run", async () => {
  const brokers = Object.values(compose.services).filter(({ image }) =>
    image.startsWith("rabbitmq:")
  );
  assert.ok(brokers.length >= 4);
  const supported = SERIES.filter(({ supportEnded }) => supportEnded === undefined);
  for (const { image, ports } of brokers) {
    const [, tag = ""] = /^rabbitmq:\$\{RABBITMQ_TAG:-(.+)-management\}$/.exec(image) ?? [];
    assert.ok(supported.some(({ name }) => seriesOf(tag) === name), image);
    assert.ok(ports.length > 0 && ports.every((port) => port.startsWith("127.0.0.1:")), image);
  }
  const [, run] = /RABBITMQ_TAG=([\d.]+)-management/.exec(await read("docker-compose.yml")) ?? [];
  assert.ok((await read("docs/brokers.md")).includes(`\n| ${run} |`));
});

Deno.test("docker-compose.yml gives no role more than its own data to write, and nobody a way to more rights", () => {
  const folders: Readonly<Record<string, string>> = {
    "dead-letter": "dead_letters",
    "users-api": "users",
  };
  for (const { name, volumes, ports, user, read_only, cap_drop, security_opt } of roles) {
    const folder = folders[name] ?? name;
    const expected = name === "setup-queues" ? [] : [`${folder}_data:/app/data/${folder}`];
    assert.deepEqual(volumes, expected);
    for (const volume of volumes) assert.ok(volume.split(":")[0]! in compose.volumes, volume);
    assert.ok(ports.every((port) => port.startsWith("127.0.0.1:")), name);
    const hardening = { user, read_only, cap_drop, security_opt };
    assert.deepEqual(hardening, {
      user: "deno",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
  }
});

Deno.test("docker-compose.yml checks each role where it tells its health, with a script that may do nothing else", () => {
  for (const { name, healthcheck, environment } of roles) {
    if (name === "setup-queues") continue;
    const address = `127.0.0.1:${environment.HEALTH_PORT}`;
    const [kind, ...words] = healthcheck!.test;
    assert.equal(kind, "CMD");
    assert.deepEqual(words.filter((word) => /^-(P|-allow)/.test(word)), [`--allow-net=${address}`]);
    assert.deepEqual(words.slice(-2), ["shared/health/check.ts", `http://${address}/readyz`]);
  }
});

Deno.test("Dockerfile caches each script that a container runs: nothing is fetched at run time", async () => {
  const [, build = ""] = /deno cache --frozen((?:.*\\\n)*.*)/.exec(await read("Dockerfile")) ?? [];
  const cached = build.replaceAll("\\", " ").trim().split(/\s+/);
  const run = roles.flatMap(({ command, healthcheck }) => [...command, ...healthcheck?.test ?? []])
    .filter((word) => word.endsWith(".ts"));
  assert.deepEqual([...new Set(run)].sort(), cached.toSorted());
});
