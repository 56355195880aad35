/** What the trials on several RabbitMQ versions are said to have come to, and how it is kept. */
import assert from "node:assert/strict";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { RELEASES } from "../../tasks/brokers/releases.ts";
import { markdownReport, textReport } from "../../tasks/brokers/report.ts";
import {
  keepResult,
  keptResults,
  type TrialResult,
  withResult,
} from "../../tasks/brokers/results.ts";
import { outcomeOf, type Trial, TRIALS } from "../../tasks/brokers/trials.ts";
import { ROOT } from "../support/project_files.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const trial = (name: string): Trial => TRIALS.find((one) => one.name === name)!;

Deno.test("outcomeOf() reads the last verdict of the tests, in colours as well", () => {
  const output = "ok | 3 passed | 0 failed (1s)\n" +
    "\x1b[31mFAILED\x1b[0m | 690 passed (4 steps) | 2 failed \x1b[38;5;245m(4m3s)\x1b[0m\n";
  for (const name of ["suite", "denials"]) {
    assert.equal(outcomeOf(trial(name), output), "690 passed, 2 failed");
  }
});

Deno.test("outcomeOf() reads the verdict of a chaos run", () => {
  const output =
    "Starting …\n✗ email: 1 lost\n✓ lost 0, duplicate effects 0; 29 of 29 faults proven and overcome.\n";
  assert.equal(outcomeOf(trial("chaos"), output), "lost 0, duplicate effects 0; 29 of 29 faults");
});

Deno.test("outcomeOf() does not take a run that broke off for one that passed", () => {
  assert.equal(outcomeOf(trial("suite"), "running 690 tests\n"), "ended without a result");
});

Deno.test("TRIALS name files that are there", async () => {
  const files = TRIALS.flatMap(({ command }) => command.split(" "))
    .filter((word) => word.endsWith(".ts"));
  assert.ok(files.length >= 2);
  for (const file of files) assert.ok((await Deno.stat(`${ROOT}/${file}`)).isFile, file);
});

Deno.test(".ci/run has a trial of the newest version", async () => {
  const script = await Deno.readTextFile(`${ROOT}/.ci/run`);
  assert.match(script, new RegExp(`test:brokers --only ${RELEASES.at(-1)!.series}\\b`));
});

const CHAOS = "lost 0, duplicate effects 0; 29 of 29 faults";
const PASSED: TrialResult = {
  version: "4.0.5",
  suite: "trixie",
  trial: "suite",
  isOk: true,
  outcome: "690 passed, 0 failed",
  elapsedMs: 240_400,
  commit: "9d7519a",
  date: new Date("2026-11-24T12:00:00Z"),
  deno: "2.9.6",
};
const RESULTS: readonly TrialResult[] = [
  PASSED,
  { ...PASSED, version: "4.3.6", suite: "sid", isOk: false, outcome: "689 passed, 1 failed" },
  { ...PASSED, version: "4.3.6", suite: "sid", trial: "chaos", outcome: CHAOS },
];

Deno.test("withResult() replaces the earlier result of the same trial and version alone", () => {
  const again = { ...RESULTS[1]!, isOk: true, outcome: "690 passed, 0 failed" };
  assert.deepEqual(withResult(RESULTS, again), [RESULTS[0], again, RESULTS[2]]);
});

Deno.test("withResult() orders by version, then as the trials are run", () => {
  const versions = ["4.10.1", "4.3.6", "3.10.8"];
  const unordered = TRIALS.toReversed().flatMap(({ name }) =>
    versions.map((version) => ({ ...PASSED, version, trial: name }))
  );
  const ordered = unordered.reduce(withResult, [] as readonly TrialResult[]);
  assert.deepEqual(
    ordered.map(({ version, trial }) => `${version} ${trial}`),
    versions.toReversed().flatMap((version) => TRIALS.map(({ name }) => `${version} ${name}`)),
  );
});

Deno.test("keepResult() keeps what other runs have kept", async () => {
  await using folder = await temporaryFolder();
  assert.deepEqual(await keptResults(folder.path), []);
  for (const result of RESULTS.toReversed()) await keepResult(folder.path, result);
  assert.deepEqual(await keptResults(folder.path), RESULTS);
});

Deno.test("keptResults() refuses a file that it did not write, and says which", async () => {
  await using folder = await temporaryFolder();
  for (const text of ["{", '[{"version":"4.3.6"}]']) {
    await Deno.writeTextFile(`${folder.path}/results.json`, text);
    await assert.rejects(keptResults(folder.path), (error: Error) => {
      assert.ok(error instanceof BrokerSetupError);
      assert.match(error.message, new RegExp(`${folder.path}/results\\.json.*Remove it`));
      return true;
    });
  }
});

Deno.test("markdownReport() has a row for each result, with what was run, and says what was not", () => {
  const report = markdownReport(RESULTS, { os: "linux", arch: "x86_64", cores: 2 });
  const rows = report.split("\n").filter((line) => /^\| \d/.test(line));
  assert.deepEqual(rows, [
    "| 4.0.5 | trixie | suite | ✓ 690 passed, 0 failed | 240 | 9d7519a | 2026-11-24 |",
    "| 4.3.6 | sid | suite | ✗ 689 passed, 1 failed | 240 | 9d7519a | 2026-11-24 |",
    `| 4.3.6 | sid | chaos | ✓ ${CHAOS} | 240 | 9d7519a | 2026-11-24 |`,
  ]);
  assert.match(report, /Not run: /);
});

Deno.test("textReport() fits a terminal of 80 columns", () => {
  for (const line of textReport(RESULTS).split("\n")) assert.ok([...line].length <= 80, line);
});
