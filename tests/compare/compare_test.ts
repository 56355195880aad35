/** `deno task compare` from end to end: what it measures, and the facts that no busy machine changes. */
import assert from "node:assert/strict";
import { markdownReport } from "../../tasks/compare/report/report.ts";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const COMPARE = ["run", "-q", "-P=operator", "tasks/compare/compare.ts"];
const VARIANTS = ["coupled", "queueEach", "direct", "events"];

Deno.test("compare --quick --json measures all five, and the users API loses and refuses nothing", async () => {
  await using folder = await temporaryFolder();
  await using reports = await temporaryFolder();
  const report = `${reports.path}/compare.md`;
  const { code, stdout, stderr } = await runDeno(
    [...COMPARE, "--quick", "--json", "--report", report],
    { TMPDIR: folder.path, TMP: folder.path },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout.split("\n").length, 2, "one object, and nothing else");
  const found = JSON.parse(stdout);
  assert.equal(found.ok, true);

  assertLatencies(found.latencyMs);
  assert.deepEqual(Object.keys(found.outages), ["down", "slow", "failing", "brokerDown"]);
  for (const outage of Object.values<Record<string, unknown>>(found.outages)) {
    assertLatencies(outage);
    assertFields(outage.events, { refused: 0, successRate: 1, lost: 0, orphans: 0 });
  }
  assertTheOthersAreHit(found.outages);

  for (const variant of VARIANTS) {
    const grown: { subscribers: number }[] = found.growth[variant];
    assert.deepEqual(grown.map(({ subscribers }) => subscribers), [3, 5]);
    assert.ok(found.throughput[variant].maxPerSecond > 0, variant);
    assert.ok(found.throughput[variant].steps.length > 0, variant);
  }
  const changed = { linesChanged: 1, publisherRestarted: true, received: true };
  assert.deepEqual(found.effort, {
    coupled: changed,
    queueEach: changed,
    direct: changed,
    events: { linesChanged: 0, publisherRestarted: false, received: true },
  });

  assert.ok(found.machine.cores > 0);
  assert.match(found.versions.rabbitmq, /^\d+\.\d+\.\d+/);
  assert.ok(!Number.isNaN(Date.parse(found.date)));
  const markdown = await Deno.readTextFile(report);
  assert.match(markdown, /^```mermaid\nxychart-beta$/m);
  const figures = JSON.parse(await Deno.readTextFile(`${reports.path}/compare.json`));
  assert.equal(markdownReport(figures), markdown);
  assert.deepEqual(figures.effort, found.effort);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), []);
});

function assertLatencies(byVariant: Record<string, unknown>): void {
  assert.deepEqual(Object.keys(byVariant), VARIANTS);
  for (const [variant, latency] of Object.entries(byVariant)) {
    const { p50, p95, p99 } = latency as Record<"p50" | "p95" | "p99", number>;
    assert.ok(p50 > 0 && p50 <= p95 && p95 <= p99, `${variant}: ${p50}, ${p95}, ${p99}`);
  }
}

// deno-lint-ignore no-explicit-any -- JSON of the command under test
function assertTheOthersAreHit({ down, slow, failing, brokerDown }: any): void {
  const { signups } = down.coupled;
  // The first subscriber was told of each, and nobody took that back.
  assertFields(down.coupled, { refused: signups, successRate: 0, lost: 0, orphans: signups });
  assert.equal(slow.coupled.lost, 0);
  assert.ok(failing.coupled.refused > 0);
  assert.equal(failing.coupled.orphans, failing.coupled.refused);
  assertFields(brokerDown.coupled, { refused: 0, lost: 0 });
  for (const variant of ["queueEach", "direct"]) {
    for (const outage of [down, slow, failing]) {
      assertFields(outage[variant], { refused: 0, lost: 0 });
    }
    assertFields(brokerDown[variant], { refused: signups, lost: 0, orphans: 0 });
  }
}

function assertFields(actual: unknown, expected: Readonly<Record<string, unknown>>): void {
  const picked = Object.keys(expected).map((key) => [key, (actual as typeof expected)[key]]);
  assert.deepEqual(Object.fromEntries(picked), expected);
}

Deno.test("compare refuses what it cannot do with 2, before it starts anything", async () => {
  for (const args of [["--quick", "--seconds", "5"], ["--seconds", "1"], ["--fast"]]) {
    const { code, stdout, stderr } = await runDeno([...COMPARE, ...args]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: /);
    assert.match(stderr, /Usage: deno task compare/);
  }
});
