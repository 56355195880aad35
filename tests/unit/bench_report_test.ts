/** The parts of `deno task bench` that measure nothing: medians, targets, and what is written of them. */
import assert from "node:assert/strict";
import { parsePs } from "../../tasks/bench/processes/cost_of.ts";
import { chart } from "../../tasks/bench/report/chart.ts";
import type { Figures } from "../../tasks/bench/report/figures.ts";
import { markdownReport } from "../../tasks/bench/report/report.ts";
import { outcomes, TARGETS } from "../../tasks/bench/report/targets.ts";
import { inTurns, ratioOf, spreadOf } from "../../tasks/bench/spread.ts";
import { ROOT } from "../support/project_files.ts";

Deno.test("spreadOf() is the middle of the turns, and both ends", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
  assert.throws(() => spreadOf([]));
});

Deno.test("ratioOf() compares the turns that stood side by side", () => {
  assert.equal(ratioOf([10, 1, 30], [5, 1, 10]), 2);
});

Deno.test("inTurns() gives each its turn after the other", async () => {
  const order: string[] = [];
  const turn = (name: string) => (n: number) => {
    order.push(name);
    return Promise.resolve(n);
  };
  assert.deepEqual(await inTurns({ a: turn("a"), b: turn("b") }, 2), { a: [0, 1], b: [0, 1] });
  assert.deepEqual(order, ["a", "b", "a", "b"]);
});

Deno.test("parsePs() reads kibibytes, and hours, minutes and seconds", () => {
  assert.deepEqual(parsePs(" 2048 01:02:03\n"), { residentMiB: 2, cpuSeconds: 3_723 });
  assert.deepEqual(parsePs("1024 1-00:00:01"), { residentMiB: 1, cpuSeconds: 86_401 });
  assert.deepEqual(parsePs("1024   0:01.50"), { residentMiB: 1, cpuSeconds: 1.5 });
  assert.equal(parsePs(""), undefined);
});

Deno.test("outcomes() tell a target that is met, one that is not, and one that nobody measured", () => {
  const found = outcomes({
    ratios: { consumeVsAmqplib: 0.9, latencyP99VsAmqplib: 1.3 },
    figures: { startToFirstDeliveryMs: 350 },
  });
  const isMet = Object.fromEntries(found.map((one) => [one.key, one.isMet]));
  assert.equal(isMet.consumeVsAmqplib, true);
  assert.equal(isMet.latencyP99VsAmqplib, false);
  assert.equal(isMet.startToFirstDeliveryMs, true);
  assert.equal(isMet.outboxCost, undefined);
});

const committed: Figures = JSON.parse(await Deno.readTextFile(`${ROOT}/docs/performance.json`));

Deno.test("docs/performance.md and its chart are what docs/performance.json makes", async () => {
  const report = await Deno.readTextFile(`${ROOT}/docs/performance.md`);
  assert.equal(report, markdownReport(committed, "performance.svg"));
  assert.equal(await Deno.readTextFile(`${ROOT}/docs/performance.svg`), chart(committed));
});

Deno.test("docs/performance.md was made of every measurement, and tells each target", async () => {
  const report = await Deno.readTextFile(`${ROOT}/docs/performance.md`);
  for (const { key, measured } of outcomes(committed)) {
    assert.notEqual(measured, undefined, key);
    assert.ok(report.includes(`\`${key}\``), key);
  }
  assert.equal(outcomes(committed).length, TARGETS.length);
});
