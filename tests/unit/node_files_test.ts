import assert from "node:assert/strict";
import { nodeEnvironment, type NodeSpec, rabbitmqConf } from "@ecomarket/setup/node/node_files";
import { installAdvice } from "../../setup/machine/install_advice.ts";
import { classify } from "../../setup/node/probe_broker.ts";

const SPEC: NodeSpec = {
  directory: "/work/.broker/node",
  name: "ecomarket_dev@localhost",
  ports: { amqp: 5672, management: 15672, dist: 25000, epmd: 24000 },
  cookie: "secret",
  user: "ecomarket_user",
  password: "ecomarket_password",
  ipv6: true,
  cluster: [],
};
const CLUSTER = ["ecomarket_1@localhost", "ecomarket_2@localhost", "ecomarket_3@localhost"];

Deno.test("rabbitmqConf() listens on loopback addresses alone", () => {
  const listeners = linesOf(rabbitmqConf(SPEC)).filter(([key]) => /^listeners|\.ip$/.test(key));
  assert.deepEqual(listeners, [
    ["listeners.tcp.ipv4", "127.0.0.1:5672"],
    ["listeners.tcp.ipv6", "::1:5672"],
    ["management.tcp.ip", "127.0.0.1"],
  ]);
});

Deno.test("rabbitmqConf() leaves IPv6 out where the machine has none", () => {
  assert.doesNotMatch(rabbitmqConf({ ...SPEC, ipv6: false }), /::1/);
});

Deno.test("rabbitmqConf() tells a node of a cluster about every node, and no other node", () => {
  const conf = Object.fromEntries(linesOf(rabbitmqConf({ ...SPEC, cluster: CLUSTER })));
  const peers = [1, 2, 3].map((n) => conf[`cluster_formation.classic_config.nodes.${n}`]);
  assert.deepEqual(peers, CLUSTER);
  assert.equal(conf["cluster_formation.peer_discovery_backend"], "classic_config");
  assert.equal(conf["cluster_partition_handling"], "pause_minority");
  assert.doesNotMatch(rabbitmqConf(SPEC), /cluster_/);
});

Deno.test("rabbitmqConf() sets every key once", () => {
  const keys = linesOf(rabbitmqConf({ ...SPEC, cluster: CLUSTER })).map(([key]) => key);
  assert.deepEqual(keys, [...new Set(keys)]);
});

Deno.test("rabbitmqConf() gives the user of the spec every right", () => {
  const conf = Object.fromEntries(linesOf(rabbitmqConf(SPEC)));
  assert.equal(conf["default_user"], "ecomarket_user");
  assert.equal(conf["default_pass"], "ecomarket_password");
  assert.equal(conf["default_permissions.write"], ".*");
});

Deno.test("nodeEnvironment() keeps every path below the node's folder", () => {
  const paths = Object.entries(nodeEnvironment(SPEC, {}))
    .filter(([name, value]) => /^(HOME|RABBITMQ_)/.test(name) && value.includes("/"));
  assert.ok(paths.length >= 10);
  for (const [name, path] of paths) assert.ok(path.startsWith(SPEC.directory), `${name}=${path}`);
});

Deno.test("nodeEnvironment() keeps the Erlang side on the loopback, on ports of its own", () => {
  const environment = nodeEnvironment(SPEC, { PATH: "/usr/bin" });
  assert.equal(environment["PATH"], "/usr/bin");
  assert.equal(environment["ERL_EPMD_ADDRESS"], "127.0.0.1");
  assert.equal(environment["ERL_EPMD_PORT"], "24000");
  assert.equal(environment["RABBITMQ_DIST_PORT"], "25000");
  for (const name of ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "RABBITMQ_CTL_ERL_ARGS"]) {
    assert.match(environment[name]!, /inet_dist_use_interface \{127,0,0,1\}/);
  }
});

Deno.test("classify() tells a refusal, a stranger and nobody apart", () => {
  const refused = 'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "no"';
  assert.equal(classify(new Error(refused)).found, "refusal");
  const noVhost = Object.assign(new Error("NOT_ALLOWED - vhost x not found"), { code: 530 });
  assert.equal(classify(noVhost).found, "refusal");
  const nobody = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  assert.equal(classify(nobody).found, "nobody");
  assert.equal(classify(new Error("connect ETIMEDOUT")).found, "stranger");
  assert.equal(classify(new Error("Frame size 403 exceeds")).found, "stranger");
});

Deno.test("installAdvice() gives one command for each platform", () => {
  const none = () => false;
  assert.equal(installAdvice("darwin", none), "brew install rabbitmq");
  assert.match(installAdvice("windows", none), /^winget install/);
  assert.match(installAdvice("linux", (name) => name === "apt-get"), /^sudo apt-get install/);
  assert.match(installAdvice("linux", (name) => name === "dnf"), /^sudo dnf install/);
  assert.match(installAdvice("linux", none), /get\.docker\.com/);
});

/** The settings of a `rabbitmq.conf`, without comments and empty lines. */
function linesOf(conf: string): readonly [key: string, value: string][] {
  return conf.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(" = ") as [string, string]);
}
