/** Where the project asks which platform it runs on. */
import assert from "node:assert/strict";
import { filesBelow, ROOT } from "../support/project_files.ts";

Deno.test("only platform.ts, and tests, ask which platform they run on", async () => {
  const asking: string[] = [];
  for (const member of ["shared", "publisher", "consumers", "setup", "testbed", "tasks"]) {
    for await (const file of filesBelow(member, ".ts")) {
      const source = await Deno.readTextFile(`${ROOT}/${file}`);
      if (/\bDeno\.build\.os\b|\bprocess\.platform\b/.test(source)) asking.push(file);
    }
  }
  assert.deepEqual(asking, ["shared/process/platform.ts"]);
});
