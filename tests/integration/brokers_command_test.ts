/** `deno task test:brokers` on a machine that cannot run another version: here, one without apt-get. */
import assert from "node:assert/strict";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

async function testBrokers(...args: readonly string[]) {
  await using cache = await temporaryFolder();
  const command = ["run", "-q", "-P=operator", "tasks/brokers/test_brokers.ts"];
  return await runDeno([...command, "--cache", cache.path, ...args], { PATH: "/nowhere" });
}

Deno.test("test:brokers says why it can run no other version, and what to do", async () => {
  const { code, stderr } = await testBrokers("--only", "4.3");
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^error: Other versions of RabbitMQ cannot be run here: .+ as root on Debian/,
  );
});

Deno.test("test:brokers --if-possible leaves out what cannot be run, with one line for each", async () => {
  const { code, stdout, stderr } = await testBrokers("--only", "4.0,4.3", "--if-possible");
  assert.equal(code, 0);
  assert.equal(stdout, "");
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^Left out: RabbitMQ 4\.0\. Other versions .+ cannot be run here: /);
  assert.match(lines[1]!, /^Left out: RabbitMQ 4\.3\. Other versions .+ cannot be run here: /);
});

Deno.test("test:brokers knows its versions and trials by name", async () => {
  for (const args of [["--only", "4.9"], ["--trials", "suite,poesia"]]) {
    const { code, stderr } = await testBrokers(...args);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /--(?:only knows 3\.10, 4\.0, 4\.3|trials knows suite, chaos, denials), not/,
    );
  }
});
