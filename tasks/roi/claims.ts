/**
 * The figures of the workshop's texts, which contradict each other: each worked out as it is written,
 * with what would have to be so for the written figure to be right.
 */
import { roi, type RoiInputs, WORKSHOP } from "./model.ts";
import { DISPUTED_PER_MONTH, PEAK_PER_HOUR, workshopSums } from "./workshop_sums.ts";

/** One figure of the texts. */
export interface Claim {
  /** What it is called where it is looked up. */
  readonly name: string;
  /** As it is written. */
  readonly written: string;
  /** What its own sum comes to. */
  readonly computed: string;
  /** Whether the two are the same. */
  readonly holds: boolean;
  /** What it takes for granted, or what would have to be so. */
  readonly assumption: string;
}

/** The workshop's "first week". */
const WEEK_DAYS = 7;

/** All of them, for the workshop's own inputs. */
export function workshopClaims(inputs: RoiInputs = WORKSHOP): readonly Claim[] {
  const { lossBefore, breakEvenDays } = roi(inputs);
  const sums = workshopSums(inputs);
  return [
    {
      name: "perDay",
      written: "2,000 a day",
      computed: `${money(lossBefore.day)} a day`,
      holds: Math.round(lossBefore.day) === 2_000,
      assumption: "every failed signup loses its user",
    },
    {
      name: "perMonth",
      written: "60,000 a month",
      computed: `${money(lossBefore.month)} a month`,
      holds: Math.round(lossBefore.month) === 60_000,
      assumption: `the same, on ${inputs.daysPerMonth} days`,
    },
    {
      name: "perYear",
      written: "720,000 a year",
      computed: `${money(lossBefore.year)} a year; ${money(sums.lossIn365Days)} in 365 days`,
      holds: Math.round(lossBefore.year) === 720_000,
      assumption: "the same, on twelve such months: 360 days",
    },
    {
      name: "otherRate",
      written: "15 % fail: 6,000 a month",
      computed: `${money(sums.otherLoss.day)} a day, ${money(sums.otherLoss.month)} a month`,
      holds: Math.round(sums.otherLoss.month) === DISPUTED_PER_MONTH,
      assumption: "it is the loss of a day; a month of it needs " +
        `${percent(sums.otherShareForDisputed)} of the failures to lose their user`,
    },
    {
      name: "disputed",
      written: "saves 6,000 a month",
      computed: `${money(lossBefore.month)} a month is lost`,
      holds: Math.round(lossBefore.month) === DISPUTED_PER_MONTH,
      assumption:
        `right if ${percent(sums.shareForDisputed)} of the failures lose their user, or ` +
        `${percent(sums.rateForDisputed)} of the signups fail`,
    },
    {
      name: "perPeakHour",
      written: "250 an hour",
      computed: `${money(sums.lossPerPeakHour)} in an hour of the peak; ` +
        `${money(sums.lossPerAverageHour)} in an average one`,
      holds: Math.round(sums.lossPerPeakHour) === 250,
      assumption: `${PEAK_PER_HOUR} signups in that hour: not to be multiplied by 24`,
    },
    {
      name: "firstWeek",
      written: "paid back in the first week",
      computed: `after ${days(breakEvenDays)}; after ${days(sums.disputedBreakEvenDays)} ` +
        `if ${money(DISPUTED_PER_MONTH)} a month are lost`,
      holds: breakEvenDays !== null && breakEvenDays <= WEEK_DAYS,
      assumption: `${inputs.buildHours} hours at ${money(inputs.costPerHour)}, ` +
        `${money(inputs.operationPerMonth)} a month for the broker: ours, not the workshop's`,
    },
  ];
}

/** An amount with thousands and at most two decimals. */
export function money(amount: number): string {
  return amount.toLocaleString("en", { maximumFractionDigits: 2 });
}

/** A part of one, as a percentage. */
export function percent(part: number): string {
  return `${(part * 100).toLocaleString("en", { maximumFractionDigits: 2 })} %`;
}

/** A break-even in words. */
export function days(count: number | null): string {
  if (count === null) return "never";
  return count < 0.1 && count > 0
    ? "less than 0.1 days"
    : `${count.toLocaleString("en", { maximumFractionDigits: 1 })} days`;
}
