import assert from "node:assert/strict";
import { join } from "node:path";
import { dockerProblem } from "../../setup/broker/docker_broker.ts";
import { installRabbitmq } from "../../setup/machine/debian_install.ts";

// The programs here are stand-ins: scripts that record what they are asked, or misbehave.
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "installRabbitmq() keeps the package from starting its broker, only while it installs",
  ignore,
  fn: async () => {
    await using machine = await fakeMachine(`
      echo "$DEBIAN_FRONTEND $*" >> "$(dirname "$0")/calls"
      [ "$1" = update ] && exit 0
      for service in rabbitmq-server epmd.socket cron; do
        "$(dirname "$0")/policy-rc.d" $service start
        echo "$service $?" >> "$(dirname "$0")/answers"
      done`);

    assert.equal(await installRabbitmq(machine), undefined);

    assert.deepEqual(await machine.lines("calls"), [
      "noninteractive update -q",
      "noninteractive install -q -y --no-install-recommends rabbitmq-server",
    ]);
    assert.deepEqual(await machine.lines("answers"), [
      "rabbitmq-server 101",
      "epmd.socket 101",
      "cron 0",
    ]);
    await assert.rejects(Deno.stat(machine.policyFile), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "installRabbitmq() leaves a policy that the machine already has alone",
  ignore,
  fn: async () => {
    await using machine = await fakeMachine("exit 0");
    await Deno.writeTextFile(machine.policyFile, "theirs");
    assert.equal(await installRabbitmq(machine), undefined);
    assert.equal(await Deno.readTextFile(machine.policyFile), "theirs");
  },
});

Deno.test({
  name: "installRabbitmq() says what apt-get said, and cleans up, when it fails",
  ignore,
  fn: async () => {
    await using machine = await fakeMachine(`
      [ "$1" = update ] && exit 0
      echo "E: Unable to locate package" >&2
      exit 100`);
    const failure = await installRabbitmq(machine);
    assert.match(failure!, /apt-get install rabbitmq-server.*failed:\n.*Unable to locate package/);
    await assert.rejects(Deno.stat(machine.policyFile), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "dockerProblem() does not wait for a daemon that never answers",
  ignore,
  fn: async () => {
    await using machine = await fakeMachine("exec sleep 60");
    const startedAt = performance.now();
    assert.match((await dockerProblem(300, machine.aptGet))!, /daemon does not answer/);
    assert.ok(performance.now() - startedAt < 5_000);
  },
});

Deno.test("dockerProblem() knows a machine without Docker", async () => {
  assert.equal(await dockerProblem(300, "/nowhere/docker"), "it is not installed");
});

Deno.test({
  name: "dockerProblem() knows a client without compose, and one with all it takes",
  ignore,
  fn: async () => {
    await using without = await fakeMachine('[ "$1" = version ]');
    assert.match((await dockerProblem(5_000, without.aptGet))!, /no `docker compose`/);
    await using complete = await fakeMachine("exit 0");
    assert.equal(await dockerProblem(5_000, complete.aptGet), undefined);
  },
});

/** A folder with a program that runs `script`, and a place for a `policy-rc.d`. */
async function fakeMachine(script: string) {
  const folder = await Deno.makeTempDir({ prefix: "ecomarket_test_install_" });
  const aptGet = join(folder, "program");
  await Deno.writeTextFile(aptGet, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return {
    aptGet,
    policyFile: join(folder, "policy-rc.d"),
    systemctl: join(folder, "systemctl"),
    lines: async (file: string) => (await Deno.readTextFile(join(folder, file))).trim().split("\n"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
