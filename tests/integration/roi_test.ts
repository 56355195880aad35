/** `deno task roi` as a person runs it, in a sandbox that allows nothing at all. */
import assert from "node:assert/strict";
import { runDeno } from "../../testbed/project/run_deno.ts";

const ROI = ["run", "-q", "-P=roi", "tasks/roi/roi.ts"];

Deno.test("roi --json computes with the numbers that it is given", async () => {
  const given = [
    "--signups",
    "100",
    "--value",
    "20",
    "--failure-rate",
    "0.1",
    "--build-hours",
    "0",
  ];
  const { code, stdout, stderr } = await runDeno([...ROI, ...given, "--json"]);
  assert.equal(code, 0, stderr);
  const { inputs, lossBefore, breakEvenDays } = JSON.parse(stdout);
  assert.equal(inputs.signupsPerDay, 100);
  assert.equal(lossBefore.day, 200);
  assert.equal(breakEvenDays, 0);
});

Deno.test("roi prints the table without options, and refuses what is no rate with 2", async () => {
  const table = await runDeno(ROI);
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /│ lost today +│ 2,000 +│ 60,000 +│ 720,000 │/);
  const refused = await runDeno([...ROI, "--failure-rate", "5"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^error: --failure-rate must be a number from 0 to 1, got "5"/);
});
