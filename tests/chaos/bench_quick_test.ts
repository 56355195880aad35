/** `deno task bench --quick` from end to end: that all of it works, and no word of how fast. */
import assert from "node:assert/strict";
import { outcomes } from "../../tasks/bench/report/targets.ts";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const BENCH = ["run", "-q", "-P=operator", "tasks/bench/bench.ts"];
/** What is left out where Python's pika, this clone's history or `ps` is missing. */
const MAY_BE_ABSENT = new Set([
  "publishVsWorkshop",
  "endToEndVsBefore",
  "residentMiB",
  "residentGrowth",
]);

Deno.test("bench --quick --json measures everything, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  await using reports = await temporaryFolder();
  const { code, stdout, stderr } = await runDeno(
    [...BENCH, "--quick", "--json", "--report", `${reports.path}/performance.md`],
    { TMPDIR: folder.path, TMP: folder.path },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout.split("\n").length, 2, "one object, and nothing else");
  const found = JSON.parse(stdout);
  for (const { key, measured } of outcomes(found)) {
    if (measured === undefined && MAY_BE_ABSENT.has(key)) continue;
    assert.ok(measured! > 0, key);
  }
  for (const { name, rows } of found.tables) {
    assert.ok(rows.length > 0, name);
    for (const { what, spread } of rows) assert.ok(spread.median > 0, `${name}: ${what}`);
  }
  const written = [...Deno.readDirSync(reports.path)].map(({ name }) => name).sort();
  assert.deepEqual(written, ["performance.json", "performance.md", "performance.svg"]);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), []);
});

Deno.test("bench refuses a measurement that it does not know, and names those that it does", async () => {
  const { code, stderr } = await runDeno([...BENCH, "--only", "everything"]);
  assert.equal(code, 2);
  assert.match(stderr, /"everything" is none of publish, consume/);
});
