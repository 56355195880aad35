/**
 * What failures cost, and when events pay for themselves: one model, with every input in one place.
 * Money has no currency: it is whatever the value of a user is in.
 */

/** All that the model is fed with. */
export interface RoiInputs {
  readonly signupsPerDay: number;
  /** What is lost with a user who does not come back. */
  readonly valuePerUser: number;
  /** The part of the signups that fails because of a subscriber, today. */
  readonly failureRate: number;
  /** The part of the signups that still fails with events; more than `failureRate` counts as that. */
  readonly residualRate: number;
  /** The part of the failed signups whose user is really lost; the rest tries again. */
  readonly lostShare: number;
  /** Once. */
  readonly buildHours: number;
  readonly costPerHour: number;
  /** The broker and whoever looks after it. */
  readonly operationPerMonth: number;
  readonly daysPerMonth: number;
}

/**
 * The workshop's figures: 800 signups a day, 50 for a lost user, 5 % failures, 30 hours of work. What it does
 * not say is ours: that every failure loses its user is what its own sum takes for granted; that
 * events leave 0.1 % is its more careful claim; an hour at 40 and a broker at 200 a month are guesses.
 */
export const WORKSHOP: RoiInputs = {
  signupsPerDay: 800,
  valuePerUser: 50,
  failureRate: 0.05,
  residualRate: 0.001,
  lostShare: 1,
  buildHours: 30,
  costPerHour: 40,
  operationPerMonth: 200,
  daysPerMonth: 30,
};

/** Months in a year. A year here is twelve of the model's months. */
const MONTHS = 12;

/** What the model says. */
export interface Roi {
  /** Lost with failures as they are today. */
  readonly lossBefore: ByPeriod;
  /** Lost with events. */
  readonly lossAfter: ByPeriod;
  readonly operation: ByPeriod;
  /** What is lost less, minus operation. Negative where events cost more than they save. */
  readonly saving: ByPeriod;
  readonly buildCost: number;
  /** Days until the work is paid back; `null` is never. */
  readonly breakEvenDays: number | null;
  /** From where on events save more than their operation costs; `null` is never. */
  readonly threshold: Threshold | null;
}

/** What makes up for the cost of operation, all else equal. */
export interface Threshold {
  readonly signupsPerDay: number;
  /** What failures must cost today. */
  readonly lossPerMonth: number;
}

/** One amount, for a day, a month and a year. */
export interface ByPeriod {
  readonly day: number;
  readonly month: number;
  readonly year: number;
}

/** What `inputs` lead to. */
export function roi(inputs: RoiInputs): Roi {
  const { failureRate, residualRate, operationPerMonth, daysPerMonth } = inputs;
  const before = lossPerDay(inputs, failureRate);
  const after = lossPerDay(inputs, Math.min(residualRate, failureRate));
  const operation = operationPerMonth / daysPerMonth;
  const saving = before - after - operation;
  const buildCost = inputs.buildHours * inputs.costPerHour;
  const periods = (day: number) => byPeriod(day, daysPerMonth);
  return {
    lossBefore: periods(before),
    lossAfter: periods(after),
    operation: periods(operation),
    saving: periods(saving),
    buildCost,
    breakEvenDays: breakEvenDays(buildCost, saving),
    threshold: threshold(inputs),
  };
}

function threshold(inputs: RoiInputs): Threshold | null {
  const { failureRate, residualRate, operationPerMonth, daysPerMonth } = inputs;
  const oneSignup = { ...inputs, signupsPerDay: 1 };
  const lostPerSignup = lossPerDay(oneSignup, failureRate);
  const savedPerSignup = lostPerSignup - lossPerDay(oneSignup, Math.min(residualRate, failureRate));
  if (savedPerSignup <= 0) return null;
  const signupsPerDay = operationPerMonth / daysPerMonth / savedPerSignup;
  return { signupsPerDay, lossPerMonth: signupsPerDay * daysPerMonth * lostPerSignup };
}

/** What is lost in a day when this part of the signups fails. */
export function lossPerDay(
  { signupsPerDay, valuePerUser, lostShare }: RoiInputs,
  rate: number,
): number {
  return signupsPerDay * rate * lostShare * valuePerUser;
}

/**
 * Days until `buildCost` is paid back by `savingPerDay`: `null`, never, where nothing is saved. Work
 * that cost nothing is paid back at once, unless it goes on losing money.
 */
export function breakEvenDays(buildCost: number, savingPerDay: number): number | null {
  if (savingPerDay > 0) return buildCost / savingPerDay;
  return buildCost === 0 && savingPerDay === 0 ? 0 : null;
}

function byPeriod(day: number, daysPerMonth: number): ByPeriod {
  return { day, month: day * daysPerMonth, year: day * daysPerMonth * MONTHS };
}
