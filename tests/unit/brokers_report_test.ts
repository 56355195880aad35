/** What the trials on several RabbitMQ versions are said to have come to. */
import assert from "node:assert/strict";
import { markdownReport, textReport } from "../../tasks/brokers/report.ts";
import { areOk, outcomeOf, type Trial, TRIALS } from "../../tasks/brokers/trials.ts";

const trial = (name: string): Trial => TRIALS.find((one) => one.name === name)!;

Deno.test("outcomeOf() reads the last verdict of the tests, in colours as well", () => {
  const output = "ok | 3 passed | 0 failed (1s)\n" +
    "\x1b[31mFAILED\x1b[0m | 690 passed (4 steps) | 2 failed \x1b[38;5;245m(4m3s)\x1b[0m\n";
  assert.equal(outcomeOf(trial("suite"), output), "690 passed, 2 failed");
});

Deno.test("outcomeOf() reads the verdict of a chaos run", () => {
  const output =
    "Starting …\n✗ email: 1 lost\n✓ lost 0, duplicate effects 0; 29 of 29 faults proven and overcome.\n";
  assert.equal(outcomeOf(trial("chaos"), output), "lost 0, duplicate effects 0; 29 of 29 faults");
});

Deno.test("outcomeOf() does not take a run that broke off for one that passed", () => {
  assert.equal(outcomeOf(trial("suite"), "running 690 tests\n"), "ended without a result");
});

const CHAOS = "lost 0, duplicate effects 0; 29 of 29 faults";

const run = {
  command: "deno task test:brokers",
  date: new Date("2026-11-24T12:00:00Z"),
  deno: "2.9.6",
  machine: { os: "linux", arch: "x86_64", cores: 2 },
  results: [
    {
      suite: "trixie",
      version: "4.0.5",
      trials: [{ name: "suite", isOk: true, outcome: "690 passed, 0 failed", elapsedMs: 240_400 }],
    },
    {
      suite: "sid",
      version: "4.3.6",
      trials: [
        { name: "suite", isOk: false, outcome: "689 passed, 1 failed", elapsedMs: 250_000 },
        { name: "chaos", isOk: true, outcome: CHAOS, elapsedMs: 150_000 },
      ],
    },
  ],
};

Deno.test("areOk() holds when every trial of every version passed", () => {
  assert.equal(areOk(run.results), false);
  assert.equal(areOk(run.results.slice(0, 1)), true);
});

Deno.test("markdownReport() has a row for each version, and says what was not run", () => {
  const report = markdownReport(run);
  assert.match(
    report,
    /^\| 4\.0\.5 \| trixie \| ✓ 690 passed, 0 failed \(240 s\) \| not run \|$/m,
  );
  assert.match(
    report,
    /^\| 4\.3\.6 \| sid \| ✗ 689 passed, 1 failed \(250 s\) \| ✓ lost 0, duplicate effects 0; 29 of 29 faults \(150 s\) \|$/m,
  );
});

Deno.test("textReport() fits a terminal of 80 columns", () => {
  for (const line of textReport(run).split("\n")) assert.ok([...line].length <= 80, line);
});
