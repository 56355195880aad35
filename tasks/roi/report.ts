/** The model's answer, for the terminal and for programs. */
import { renderTable } from "@ecomarket/shared/process/table";
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import { days, money, percent, workshopClaims } from "./claims.ts";
import { workshopFigures } from "./figures.ts";
import { type ByPeriod, type Roi, roi, type RoiInputs, type Threshold, WORKSHOP } from "./model.ts";

/** What `--json` prints; `workshop` is what documents quote, whatever `inputs` are. */
export function jsonReport(inputs: RoiInputs): string {
  return JSON.stringify({
    inputs,
    ...roi(inputs),
    workshopClaims: workshopClaims(),
    workshop: { ...workshopFigures(), output: textReport(WORKSHOP) },
  });
}

/** The tables, for a terminal of 80 columns. */
export function textReport(inputs: RoiInputs): string {
  const result = roi(inputs);
  return [
    inputTable(inputs),
    resultTable(result),
    `Building it costs ${money(result.buildCost)}.\n${conclusion(result)}`,
    "The workshop's figures, worked out with its own inputs:",
    claimList(),
  ].join("\n\n");
}

function inputTable(inputs: RoiInputs): string {
  return renderTable(["input", "", "option"], [
    ["signups a day", money(inputs.signupsPerDay), "--signups"],
    ["value of a lost user", money(inputs.valuePerUser), "--value"],
    ["signups that fail today", percent(inputs.failureRate), "--failure-rate"],
    [
      "… that fail with events",
      percent(Math.min(inputs.residualRate, inputs.failureRate)),
      "--residual-rate",
    ],
    ["failures that lose their user", percent(inputs.lostShare), "--lost-share"],
    ["hours of work, once", money(inputs.buildHours), "--build-hours"],
    ["cost of an hour", money(inputs.costPerHour), "--hour-cost"],
    ["broker and its care, a month", money(inputs.operationPerMonth), "--operation-monthly"],
    ["days in a month", money(inputs.daysPerMonth), "--days-per-month"],
  ]);
}

function resultTable({ lossBefore, lossAfter, operation, saving }: Roi): string {
  const row = (title: string, { day, month, year }: ByPeriod) => [
    title,
    money(day),
    money(month),
    money(year),
  ];
  return renderTable(["", "a day", "a month", "a year"], [
    row("lost today", lossBefore),
    row("lost with events", lossAfter),
    row("operation", operation),
    row("saved, net", saving),
  ]);
}

function conclusion({ breakEvenDays, saving, threshold }: Roi): string {
  if (breakEvenDays !== null) {
    return [
      `It is paid back after ${days(breakEvenDays)}.`,
      ...(threshold ? [enough(threshold)] : []),
    ].join("\n");
  }
  return saving.day === 0
    ? "It is never paid back: nothing is saved."
    : `It is never paid back: it costs ${money(-saving.month)} a month more than it saves.`;
}

function enough({ signupsPerDay, lossPerMonth }: Threshold): string {
  return `Operation is paid for from ${money(signupsPerDay)} signups a day on, ` +
    `or ${money(lossPerMonth)} lost a month.`;
}

function claimList(): string {
  return workshopClaims().map(({ written, computed, holds, assumption }) =>
    [
      `${holds ? "✓" : "✗"} "${written}"`,
      ...indented("is:", computed),
      ...indented("if:", assumption),
    ].join("\n")
  ).join("\n");
}

function indented(label: string, text: string): string[] {
  return wrapText(text, 70).map((line, n) => `  ${n === 0 ? label : "   "} ${line}`);
}
