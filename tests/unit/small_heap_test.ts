/** What a consumer is started with is the same wherever it is started. */
import assert from "node:assert/strict";
import { CONSUMERS, SMALL_HEAP } from "../../testbed/processes/roles.ts";
import { ROOT } from "../support/project_files.ts";

Deno.test("the tasks start each consumer as tests and tasks do, with the same heap", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  for (const { name, script, permissionSet } of Object.values(CONSUMERS)) {
    assert.equal(
      tasks[`consumer:${name}`].command,
      `deno run -q -P=${permissionSet} --v8-flags=${SMALL_HEAP.join(",")} ${script}`,
    );
  }
});
