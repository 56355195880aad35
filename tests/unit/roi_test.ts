import assert from "node:assert/strict";
import { days, workshopClaims } from "../../tasks/roi/claims.ts";
import { breakEvenDays, roi, WORKSHOP } from "../../tasks/roi/model.ts";
import { jsonReport, textReport } from "../../tasks/roi/report.ts";

Deno.test("roi() multiplies the workshop's figures as they should be multiplied", () => {
  const { lossBefore, lossAfter, operation, saving, buildCost } = roi(WORKSHOP);
  assert.deepEqual(lossBefore, { day: 2_000, month: 60_000, year: 720_000 });
  assert.equal(lossAfter.month, 1_200);
  assert.equal(operation.month, 200);
  assert.equal(Math.round(saving.month), 58_600);
  assert.equal(buildCost, 1_200);
});

Deno.test("roi() breaks even when the net savings of so many days are the cost of the work", () => {
  const { breakEvenDays, saving, buildCost } = roi(WORKSHOP);
  assert.ok(breakEvenDays !== null);
  assert.ok(Math.abs(breakEvenDays * saving.day - buildCost) < 1e-9);
});

Deno.test("roi() finds the threshold at which what is saved is what operation costs", () => {
  const { threshold } = roi(WORKSHOP);
  assert.ok(threshold !== null);
  const there = roi({ ...WORKSHOP, signupsPerDay: threshold.signupsPerDay });
  assert.ok(Math.abs(there.saving.month) < 1e-9);
  assert.ok(Math.abs(there.lossBefore.month - threshold.lossPerMonth) < 1e-9);
  assert.equal(roi({ ...WORKSHOP, failureRate: 0 }).threshold, null);
});

Deno.test("roi() scales with the share of failures that really lose their user", () => {
  assert.equal(roi({ ...WORKSHOP, lostShare: 0.1 }).lossBefore.month, 6_000);
});

Deno.test("roi() says never where operation costs more than is saved", () => {
  const { breakEvenDays, saving } = roi({ ...WORKSHOP, signupsPerDay: 2 });
  assert.equal(breakEvenDays, null);
  assert.ok(saving.month < 0);
});

Deno.test("roi() never makes failures more frequent with events than they are today", () => {
  const { lossBefore, lossAfter } = roi({ ...WORKSHOP, failureRate: 0.0005 });
  assert.deepEqual(lossAfter, lossBefore);
});

Deno.test("breakEvenDays() is 0 for work that cost nothing, unless it loses money", () => {
  assert.equal(breakEvenDays(0, 0), 0);
  assert.equal(breakEvenDays(0, 10), 0);
  assert.equal(breakEvenDays(0, -1), null);
  assert.equal(breakEvenDays(100, 0), null);
});

Deno.test("workshopClaims() tells the figures that hold from the two that do not", () => {
  const wrong = workshopClaims().filter(({ holds }) => !holds);
  assert.deepEqual(wrong.map(({ written }) => written), [
    "15 % fail: 6,000 a month",
    "saves 6,000 a month",
  ]);
  assert.equal(wrong[0]!.computed, "6,000 a day, 180,000 a month");
  assert.match(wrong[0]!.assumption, /needs 3\.33 % of the failures/);
  assert.match(wrong[1]!.assumption, /10 % of the failures lose their user, or 0\.5 % of the/);
});

Deno.test("days() says never, and does not round a part of a day to nothing", () => {
  assert.equal(days(null), "never");
  assert.equal(days(0.01), "less than 0.1 days");
  assert.equal(days(6.34), "6.3 days");
});

Deno.test("textReport() of the model fits 80 columns, and says what is never paid back", () => {
  const text = textReport({ ...WORKSHOP, failureRate: 0 });
  assert.match(text, /It is never paid back: it costs 200 a month more than it saves\./);
  for (const line of text.split("\n")) assert.ok([...line].length <= 80, line);
});

Deno.test("jsonReport() of the model has the inputs beside what they lead to", () => {
  const report = JSON.parse(jsonReport(WORKSHOP));
  assert.deepEqual(report.inputs, { ...WORKSHOP });
  assert.equal(report.lossBefore.month, 60_000);
  assert.equal(report.workshopClaims.length, 7);
});

Deno.test("jsonReport() of the model has what documents quote, whatever the inputs are", () => {
  const { workshop } = JSON.parse(jsonReport({ ...WORKSHOP, signupsPerDay: 1 }));
  assert.equal(workshop.inputs.failurePercent, 5);
  assert.equal(workshop.result.lossBefore.month, 60_000);
  assert.equal(workshop.breakEvenDays, 0.6);
  assert.equal(workshop.sums.disputedBreakEvenDays, 6.3);
  assert.equal(workshop.perCall[0].calls, 3);
  assert.equal(workshop.perCall[0].failurePercent.toFixed(2), "14.26");
  assert.equal(workshop.perCall[1].lossPerDay.toFixed(2), "9048.76");
  assert.equal(workshop.output, textReport(WORKSHOP));
  const failing = Object.entries(workshop.verdicts).filter(([, holds]) => !holds);
  assert.deepEqual(failing.map(([name]) => name), ["otherRate", "disputed"]);
});
