/** The sums behind the figures of the workshop's texts, each worked out as it is written. */
import { lossPerDay, roi, type RoiInputs } from "./model.ts";

/** Signups an hour at the workshop's peaks. */
export const PEAK_PER_HOUR = 100;
/** The loss a month that the texts write without a sum that leads to it. */
export const DISPUTED_PER_MONTH = 6_000;
const HOURS_PER_DAY = 24;
const DAYS_PER_YEAR = 365;
/** The failure rate of the text with 6,000. */
const OTHER_RATE = 0.15;

/** What the texts should have come to, and what would make the disputed figures right. */
export interface WorkshopSums {
  readonly lossIn365Days: number;
  readonly lossPerPeakHour: number;
  readonly lossPerAverageHour: number;
  /** With 15 % failures. */
  readonly otherLoss: { readonly day: number; readonly month: number };
  /** The part of those failures that would have to lose their user for 6,000 a month. */
  readonly otherShareForDisputed: number;
  /** The same part, at the failure rate of the inputs. */
  readonly shareForDisputed: number;
  /** The part of the signups that would have to fail for 6,000 a month. */
  readonly rateForDisputed: number;
  /** Days until the work is paid back if 6,000 a month are lost; `null` is never. */
  readonly disputedBreakEvenDays: number | null;
}

/** The sums, for `inputs`. */
export function workshopSums(inputs: RoiInputs): WorkshopSums {
  const { daysPerMonth, failureRate } = inputs;
  const perDay = lossPerDay(inputs, failureRate);
  const otherPerDay = lossPerDay(inputs, OTHER_RATE);
  const shareForDisputed = disputedShare(inputs, failureRate);
  return {
    lossIn365Days: perDay * DAYS_PER_YEAR,
    lossPerPeakHour: lossPerDay({ ...inputs, signupsPerDay: PEAK_PER_HOUR }, failureRate),
    lossPerAverageHour: perDay / HOURS_PER_DAY,
    otherLoss: { day: otherPerDay, month: otherPerDay * daysPerMonth },
    otherShareForDisputed: disputedShare(inputs, OTHER_RATE),
    shareForDisputed,
    rateForDisputed: DISPUTED_PER_MONTH / daysPerMonth / lossPerDay(inputs, 1),
    disputedBreakEvenDays: roi({ ...inputs, lostShare: shareForDisputed }).breakEvenDays,
  };
}

function disputedShare(inputs: RoiInputs, rate: number): number {
  return DISPUTED_PER_MONTH / inputs.daysPerMonth / lossPerDay({ ...inputs, lostShare: 1 }, rate);
}
