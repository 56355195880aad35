import assert from "node:assert/strict";
import { charts } from "../../tasks/compare/report/charts.ts";
import { figuresOf } from "../../tasks/compare/report/figures.ts";
import { jsonReport, markdownReport, textReport } from "../../tasks/compare/report/report.ts";
import { claims, isOk } from "../../tasks/compare/report/verdict.ts";
import type { Comparison } from "../../tasks/compare/result.ts";
import { figureRows } from "../../tasks/report/figure_rows.ts";
import { jsonBeside } from "../../tasks/report/report_file.ts";
import { comparison, LATENCY, outage, SLOW } from "./comparison.ts";

function holding(found: Comparison): boolean[] {
  return claims(found).map(({ holds }) => holds);
}

Deno.test("claims() hold where events refuse, lose, change and wait for nothing", () => {
  assert.deepEqual(holding(comparison()), [true, true, true, true, true, true]);
  assert.ok(isOk(comparison()));
});

Deno.test("isOk() fails for a signup refused, an event lost, or a publisher changed", () => {
  const { outages, effort } = comparison();
  const refused = { ...outages, slow: outage({}, { refused: 1 }) };
  assert.ok(!isOk(comparison({ outages: refused })));
  const lost = { ...outages, down: outage({}, { lost: 1 }) };
  assert.ok(!isOk(comparison({ outages: lost })));
  const touched = { ...effort, events: { ...effort.events, linesChanged: 1 } };
  assert.ok(!isOk(comparison({ effort: touched })));
  const unheard = { ...effort, events: { ...effort.events, received: false } };
  assert.ok(!isOk(comparison({ effort: unheard })));
});

Deno.test("isOk() leaves to the reader what a busy machine decides, and claims() tells it", () => {
  const { outages } = comparison();
  const busy = comparison({
    latencyMs: { ...LATENCY, events: { p50: 60, p95: 300, p99: 400 } },
    outages: { ...outages, slow: outage({}, { p95: 200 }) },
  });
  assert.ok(isOk(busy));
  assert.deepEqual(holding(busy), [true, true, true, false, false, true]);
});

Deno.test("textReport() of a comparison fits 80 columns, also with the largest figures", () => {
  const text = textReport(comparison());
  for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
  assert.match(text, /│ coupled +│ +604\.2 │ +612\.5 │ +640 │/);
  assert.match(text, /│ loyalty is down +│ coupled +│ +0 │ +604\.2 │ +640 │ +0 │ +160 │/);
  assert.match(text, /│ events +│ +0 │ no +│ yes +│/);
  assert.match(
    text,
    /✓ Events answer at least 12 times faster.*:\n {2}604\.21 ms → 4\.04 ms, 150 /,
  );
});

Deno.test("jsonReport() of a comparison is one object with the five comparisons", () => {
  const report = JSON.parse(jsonReport(comparison()));
  assert.equal(report.ok, true);
  assert.deepEqual(report.latencyMs.coupled, SLOW);
  assert.equal(report.outages.down.coupled.orphans, 160);
  assert.equal(report.growth.coupled[2].subscribers, 10);
  assert.equal(report.throughput.events.maxPerSecond, 1_200);
  assert.equal(report.effort.events.linesChanged, 0);
  assert.equal(report.date, "2026-11-24T07:00:00.000Z");
  assert.deepEqual(report.machine, { os: "linux", arch: "x86_64", cores: 2 });
  assert.deepEqual(report.versions, { rabbitmq: "3.10.8", deno: "2.9.6" });
});

Deno.test("figuresOf() rounds as the report does, and works out what follows from the figures", () => {
  const figures = figuresOf(comparison());
  assert.equal(figures.date, "2026-11-24");
  assert.equal(figures.latency.coupled.p50, 604.2);
  assert.deepEqual(figures.outages.failing.coupled, {
    acceptedPercent: 95,
    p50: 604.2,
    p99: 640,
    lost: 0,
    orphans: 8,
  });
  assert.deepEqual(figures.growth.coupled, { p50: [603, 1005, 2010], p99: 12.3 });
  assert.deepEqual(figures.loads.growth, { ratePerSecond: 10, signups: 40 });
  assert.deepEqual(figures.findings, {
    timesFaster: 150,
    latencyCutPercent: 99.3,
    outages: { signups: 640, refused: 0, lost: 0, worstP95: 7.5, coupledOrphans: 168 },
    ruledOutPercent: 0.47,
    msPerSubscriber: 201,
    wantedPerSecond: 0.08,
  });
  assert.deepEqual(Object.values(figures.verdicts), Array(11).fill(true));
});

Deno.test("figuresOf() has a verdict for each claim, and tells a quick run from one to be quoted", () => {
  const { verdicts, claims } = figuresOf(comparison({
    command: "deno task compare --quick",
    latencyMs: { ...LATENCY, events: { p50: 60, p95: 300, p99: 400 } },
  }));
  const failing = Object.entries(verdicts).filter(([, holds]) => !holds).map(([name]) => name);
  assert.deepEqual(failing, ["farFaster", "quotable", "answersWithinClaimedMs"]);
  for (const { name, holds } of claims) assert.equal(verdicts[name], holds);
});

Deno.test("figureRows() has a row for each innermost record, and a cell for each of its figures", () => {
  assert.deepEqual(figureRows({ p50: 1, p99: 2 }), [[1, 2]]);
  assert.deepEqual(
    figureRows({ a: { x: { n: [1, 2], ok: true } }, b: { y: { n: [3, 4], ok: false } } }),
    [[1, 2, true], [3, 4, false]],
  );
});

Deno.test("jsonBeside() names the figures' file after the report", () => {
  assert.equal(jsonBeside("docs/compare.md"), "docs/compare.json");
  assert.equal(jsonBeside("report"), "report.json");
  assert.equal(jsonBeside("report.json"), "report.json.json");
});

Deno.test("markdownReport() of a comparison names its command, and has a chart for four of five", () => {
  const text = markdownReport(figuresOf(comparison()));
  assert.match(text, /Made by `deno task compare --report docs\/compare\.md` on 2026-11-24/);
  assert.match(text, /load average before: 0\.42/);
  assert.equal(text.match(/^```mermaid\nxychart-beta$/gm)?.length, 4);
  assert.match(text, /\| coupled \| 604\.2 \| 612\.5 \| 640 \|/);
  assert.match(
    text,
    /rest on 400 signups, those of the outages on 120, those with more subscribers on 40,/,
  );
});

Deno.test("charts() orders the lines in words as they lie in the drawing", () => {
  const { growth } = charts(figuresOf(comparison()));
  assert.match(growth!.caption, /coupled, queue each, direct, events, from the highest down/);
  assert.match(growth!.source, /x-axis \["3", "5", "10"\]/);
  assert.match(growth!.source, /y-axis "ms" 0 --> 2010/);
  assert.match(growth!.source, /line \[603, 1005, 2010\]/);
});
