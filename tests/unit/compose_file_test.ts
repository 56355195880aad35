/** The roles in containers: they run what the tasks run, in the same sandbox, and may do no more. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
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
  services: z.record(z.string(), z.looseObject({ profiles: z.array(z.string()).default([]) })),
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
    assert.equal(net, `--allow-net=127.0.0.1,${own}rabbitmq:5672`, name);
    assert.equal(words.filter((word) => word !== net).join(" "), tasks[taskOf(name)].command);
  }
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
