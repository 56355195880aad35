/** The model of costs in Spanish. Its sums are those of `deno task roi`. */
import { markdownTable } from "../report/markdown_table.ts";
import { days, money, percent, workshopClaims } from "../roi/claims.ts";
import { type ByPeriod, roi, type RoiInputs, WORKSHOP } from "../roi/model.ts";
import { PEAK_PER_HOUR, workshopSums } from "../roi/workshop_sums.ts";
import { roiOutput } from "./roi_output.ts";

const THREE = 3;
const FIVE = 5;

/** Its parts, by their names. */
export function spanishRoi(): Readonly<Record<string, string>> {
  return {
    roi: roiOutput(),
    "roi-inputs": inputTable(WORKSHOP),
    "roi-result": resultTable(WORKSHOP),
    "roi-contradictions": contradictions(WORKSHOP),
    "roi-reading": reading(WORKSHOP),
  };
}

function inputTable(inputs: RoiInputs): string {
  return markdownTable(["dato", "valor", "opción", "de dónde sale"], [
    ["registros por día", money(inputs.signupsPerDay), "`--signups`", "taller"],
    ["valor de un usuario perdido", money(inputs.valuePerUser), "`--value`", "taller"],
    ["registros que fallan hoy", percent(inputs.failureRate), "`--failure-rate`", "taller"],
    [
      "registros que fallan con eventos",
      percent(inputs.residualRate),
      "`--residual-rate`",
      "taller: la más prudente de sus dos cifras",
    ],
    [
      "fallos que pierden a su usuario",
      percent(inputs.lostShare),
      "`--lost-share`",
      "implícito en la cuenta del taller",
    ],
    ["horas de trabajo, una vez", money(inputs.buildHours), "`--build-hours`", "taller"],
    ["coste de una hora", money(inputs.costPerHour), "`--hour-cost`", "**suposición nuestra**"],
    [
      "broker y su cuidado, al mes",
      money(inputs.operationPerMonth),
      "`--operation-monthly`",
      "**suposición nuestra**",
    ],
    ["días de un mes", money(inputs.daysPerMonth), "`--days-per-month`", "taller"],
  ]);
}

function resultTable(inputs: RoiInputs): string {
  const { lossBefore, lossAfter, operation, saving } = roi(inputs);
  const row = (title: string, { day, month, year }: ByPeriod) =>
    [title, money(day), money(month), money(year)] as const;
  return markdownTable(["", "por día", "por mes", "por año"], [
    row("pérdida hoy", lossBefore),
    row("pérdida con eventos", lossAfter),
    row("operación", operation),
    row("ahorro neto", saving),
  ]);
}

/** n.b. in the order of `workshopClaims`, whose word it is which of them agree. */
function contradictions(inputs: RoiInputs): string {
  const { lossBefore, breakEvenDays } = roi(inputs);
  const sums = workshopSums(inputs);
  const claims = workshopClaims(inputs);
  const agrees = (n: number) => claims[n]!.holds ? "sí" : "**no**";
  return markdownTable(["dice el taller", "da la cuenta", "¿coincide?", "qué supone"], [
    [
      "2,000 al día",
      `${money(lossBefore.day)} al día`,
      agrees(0),
      "cada registro fallido pierde a su usuario",
    ],
    [
      "60,000 al mes",
      `${money(lossBefore.month)} al mes`,
      agrees(1),
      `lo mismo, en ${inputs.daysPerMonth} días`,
    ],
    [
      "720,000 al año",
      `${money(lossBefore.year)} al año; ${money(sums.lossIn365Days)} en 365 días`,
      agrees(2),
      "doce de esos meses: 360 días",
    ],
    [
      "falla el 15 %: 6,000 al mes",
      `${money(sums.otherLoss.day)} al día, ${money(sums.otherLoss.month)} al mes`,
      agrees(3),
      "confunde día y mes; para ser la pérdida de un mes, solo el " +
      `${percent(sums.otherShareForDisputed)} de los fallos perdería a su usuario`,
    ],
    [
      "ahorra 6,000 al mes",
      `se pierden ${money(lossBefore.month)} al mes`,
      agrees(4),
      `sería cierto si solo el ${percent(sums.shareForDisputed)} de los fallos perdiera a su ` +
      `usuario, o si fallara el ${percent(sums.rateForDisputed)} de los registros`,
    ],
    [
      "250 por hora",
      `${money(sums.lossPerPeakHour)} en una hora punta; ${
        money(sums.lossPerAverageHour)
      } en una media`,
      agrees(5),
      `${PEAK_PER_HOUR} registros en esa hora; no se puede multiplicar por 24`,
    ],
    [
      "se paga en la primera semana",
      `tras ${spanishDays(breakEvenDays)}; tras ${spanishDays(sums.disputedBreakEvenDays)} si se ` +
      "pierden 6,000 al mes",
      agrees(6),
      `${inputs.buildHours} horas a ${money(inputs.costPerHour)} y ` +
      `${money(inputs.operationPerMonth)} al mes de operación: nuestros, no del taller`,
    ],
  ]);
}

function reading(inputs: RoiInputs): string {
  const { buildCost, breakEvenDays, threshold } = roi(inputs);
  const perCall = (calls: number) => 1 - (1 - inputs.failureRate) ** calls;
  const lossPerDay = (failureRate: number) => money(roi({ ...inputs, failureRate }).lossBefore.day);
  const pays = threshold
    ? `La operación se paga a partir de ${money(threshold.signupsPerDay)} registros al día, es ` +
      `decir, cuando los fallos cuestan ${money(threshold.lossPerMonth)} al mes.`
    : "La operación no se paga nunca.";
  const [three, five] = [perCall(THREE), perCall(FIVE)];
  return [
    `- **Punto de equilibrio.** El trabajo cuesta ${money(buildCost)} y se recupera en ` +
    `${spanishDays(breakEvenDays)}. ${pays}`,
    `- **¿El 5 % de qué?** Si el ${
      percent(inputs.failureRate)
    } es de los registros, la cuenta es la ` +
    `de arriba. Si es de cada llamada, y las llamadas fallan por separado, con ${THREE} falla el ` +
    `${percent(three)} de los registros (${lossPerDay(three)} al día), y con ${FIVE} el ` +
    `${percent(five)} (${lossPerDay(five)} al día). El «15 %» del taller parece ser ` +
    `${THREE} × ${percent(inputs.failureRate)}, que es esa cuenta sin la corrección por fallos ` +
    "simultáneos.",
  ].join("\n");
}

/** A break-even in words. */
export function spanishDays(count: number | null): string {
  return days(count).replace("days", "días").replace("never", "nunca")
    .replace("less than", "menos de");
}
