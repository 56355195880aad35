/** Where the project asks which platform it runs on. */
import assert from "node:assert/strict";
import { browserCommand } from "@ecomarket/shared/process/platform";
import { filesBelow, ROOT } from "../support/project_files.ts";

Deno.test("only platform.ts, and tests, ask which platform they run on", async () => {
  const asking: string[] = [];
  for (const member of ["shared", "publisher", "consumers", "setup", "testbed", "tasks", "watch"]) {
    for await (const file of filesBelow(member, ".ts")) {
      const source = await Deno.readTextFile(`${ROOT}/${file}`);
      if (/\bDeno\.build\.os\b|\bprocess\.platform\b/.test(source)) asking.push(file);
    }
  }
  assert.deepEqual(asking, ["shared/process/platform.ts"]);
});

Deno.test("browserCommand() hands the target over whole, on each platform", () => {
  const target = "http://127.0.0.1:1/?a=1&b=%20 c";
  for (const platform of ["linux", "darwin", "windows"] as const) {
    assert.equal(browserCommand(target, platform).at(-1), target);
  }
  assert.equal(browserCommand(target, "linux")[0], "xdg-open");
  assert.equal(browserCommand(target, "darwin")[0], "open");
});
