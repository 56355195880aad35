/** `deno task roi`: what failures cost, and when events pay for themselves, for a reader's numbers. */
import { numberBetween, parseArguments } from "@ecomarket/shared/process/args";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { type RoiInputs, WORKSHOP } from "./model.ts";
import { jsonReport, textReport } from "./report.ts";

const USAGE = `
Usage: deno task roi [options]

What failing signups cost, what events save, and after how many days they are
paid for. Without options, for the workshop's figures. Rates and shares are from
0 to 1.

  --signups N             a day (default: ${WORKSHOP.signupsPerDay})
  --value V               of a lost user (default: ${WORKSHOP.valuePerUser})
  --failure-rate R        of signups, today (default: ${WORKSHOP.failureRate})
  --residual-rate R       of signups, with events (default:
                          ${WORKSHOP.residualRate})
  --lost-share S          of failures that lose their user (default:
                          ${WORKSHOP.lostShare})
  --build-hours H         of work, once (default: ${WORKSHOP.buildHours})
  --hour-cost C           (default: ${WORKSHOP.costPerHour}, a guess)
  --operation-monthly M   of the broker and its care (default:
                          ${WORKSHOP.operationPerMonth}, a guess)
  --days-per-month D      (default: ${WORKSHOP.daysPerMonth})
  --json                  print one object, with what documents quote of the
                          workshop's figures
`;

const text = { type: "string" } as const;

function parse(args: readonly string[]): { inputs: RoiInputs; json: boolean } | undefined {
  const { values } = parseArguments(args, {
    signups: text,
    value: text,
    "failure-rate": text,
    "residual-rate": text,
    "lost-share": text,
    "build-hours": text,
    "hour-cost": text,
    "operation-monthly": text,
    "days-per-month": text,
    json: { type: "boolean" },
  });
  if (values.help) return undefined;
  const amount = (name: keyof typeof values & string, fallback: number, min = 0, max = 1e12) =>
    numberBetween(name, values[name] as string | undefined, fallback, { min, max });
  return {
    inputs: {
      signupsPerDay: amount("signups", WORKSHOP.signupsPerDay),
      valuePerUser: amount("value", WORKSHOP.valuePerUser),
      failureRate: amount("failure-rate", WORKSHOP.failureRate, 0, 1),
      residualRate: amount("residual-rate", WORKSHOP.residualRate, 0, 1),
      lostShare: amount("lost-share", WORKSHOP.lostShare, 0, 1),
      buildHours: amount("build-hours", WORKSHOP.buildHours),
      costPerHour: amount("hour-cost", WORKSHOP.costPerHour),
      operationPerMonth: amount("operation-monthly", WORKSHOP.operationPerMonth),
      daysPerMonth: amount("days-per-month", WORKSHOP.daysPerMonth, 1, 31),
    },
    json: values.json ?? false,
  };
}

if (import.meta.main) {
  await runCommand(USAGE, ({ args }) => {
    const request = parse(args);
    if (!request) print(USAGE.trim());
    else print(request.json ? jsonReport(request.inputs) : textReport(request.inputs));
    return Promise.resolve();
  });
}
