/** What the model says of the workshop's figures, as its report shows it: for documents that quote it. */
import { workshopClaims } from "./claims.ts";
import { roi, WORKSHOP } from "./model.ts";
import { DISPUTED_PER_MONTH, PEAK_PER_HOUR, workshopSums } from "./workshop_sums.ts";

/** The workshop's number of calls, and one more pair of subscribers. */
const CALLS = [3, 5];

/** Amounts, parts in percent, and days; `null` is never. */
export function workshopFigures(): Readonly<Record<string, unknown>> {
  const { lossBefore, lossAfter, operation, saving, ...rest } = roi(WORKSHOP);
  const { failureRate, residualRate, lostShare, ...inputs } = WORKSHOP;
  const { otherShareForDisputed, shareForDisputed, rateForDisputed, ...sums } = workshopSums(
    WORKSHOP,
  );
  return {
    inputs: {
      ...inputs,
      failurePercent: failureRate * 100,
      residualPercent: residualRate * 100,
      lostPercent: lostShare * 100,
    },
    result: { lossBefore, lossAfter, operation, saving },
    ...rest,
    breakEvenDays: tenths(rest.breakEvenDays),
    sums: {
      ...sums,
      peakPerHour: PEAK_PER_HOUR,
      disputedPerMonth: DISPUTED_PER_MONTH,
      otherPercentForDisputed: otherShareForDisputed * 100,
      percentForDisputed: shareForDisputed * 100,
      failurePercentForDisputed: rateForDisputed * 100,
      disputedBreakEvenDays: tenths(sums.disputedBreakEvenDays),
    },
    perCall: CALLS.map((calls) => {
      const anyFails = 1 - (1 - failureRate) ** calls;
      return {
        calls,
        failurePercent: anyFails * 100,
        lossPerDay: roi({ ...WORKSHOP, failureRate: anyFails }).lossBefore.day,
      };
    }),
    verdicts: Object.fromEntries(workshopClaims().map(({ name, holds }) => [name, holds])),
  };
}

function tenths(days: number | null): number | null {
  return days === null ? null : Number(days.toFixed(1));
}
