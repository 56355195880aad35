/** The figures in English, for `docs/Taller4_Justification.en.md`. */
import { days } from "../roi/claims.ts";
import { roi, WORKSHOP } from "../roi/model.ts";
import type { CompareReport } from "./compare_report.ts";
import { findings } from "./findings.ts";
import type { ClaimVerdict, Language } from "./language.ts";
import { roiOutput } from "./roi_output.ts";

function origin(report: CompareReport): string {
  const { command, date, machine, loadBefore, versions } = report;
  const made = `Measured by \`${command}\` on ${date}, on ${machine} (load average before: ` +
    `${loadBefore}), with RabbitMQ ${versions.rabbitmq} and Deno ${versions.deno}.`;
  return findings(report).isQuick
    ? `${made} **A measurement by \`--quick\`: too short to be quoted.**`
    : made;
}

const notes: Language["notes"] = ({ ratePerSecond, growthRatePerSecond, subscriberMs }) => ({
  latency: `${ratePerSecond} signups a second, whether the ones before were answered or not; ` +
    `3 subscribers of ${subscriberMs} ms.`,
  outages: "lost: answered 201, and a subscriber never heard of it. orphans: refused, and a " +
    "subscriber has done its part all the same.",
  growth: `At ${growthRatePerSecond} signups a second.`,
  throughput: "backlog: accepted signups of which a subscriber had not heard yet at the end.",
  effort: "Lines of the publisher.",
});

function summary({ p50, timesFaster, unwell, outages }: CompareReport): string[] {
  return [
    `Half of the signups are answered within ${p50.coupled} ms by three HTTP calls, and within ` +
    `${p50.events} ms by events: ${timesFaster} times faster.`,
    `With \`loyalty\` down, the coupled API accepts ${outages.down.coupled.success} % of the signups, ` +
    `the one with events ${outages.down.events.success} %. Over the four outages the latter refused ` +
    `${unwell.refused} of ${unwell.signups}.`,
    `A queue for each subscriber answers within ${p50.queueEach} ms too: what makes it fast is not to ` +
    `wait. With the broker down it accepts ${outages.brokerDown.queueEach.success} %, and the outbox ` +
    `of the users API ${outages.brokerDown.events.success} %.`,
  ];
}

function claims(report: CompareReport): ClaimVerdict[] {
  const { p50, timesFaster, outages, unwell, growth, linesChanged } = report;
  const found = findings(report);
  return [
    {
      claim: "600 ms → 50 ms",
      measured: `p50 ${p50.coupled} ms → ${p50.events} ms: ${timesFaster} times`,
      verdict:
        (found.isWithinClaimedMs
          ? "**Confirmed, for the answer.** "
          : "**Not confirmed by this run.** ") +
        "The 600 ms are the premise; the subscribers' work is done later, not faster.",
    },
    {
      claim: "95 % → 99.9 % available",
      measured: `accepted while \`loyalty\` fails 5 %: ${outages.failing.coupled.success} % → ` +
        `${outages.failing.events.success} %; while the broker is down: ` +
        `${outages.brokerDown.coupled.success} % → ${outages.brokerDown.events.success} %`,
      verdict: "**Cannot be shown like this.** Availability is a share of months; here it is the " +
        "share that was accepted during stated outages.",
    },
    {
      claim: "5 % lost → 0",
      measured: `${found.lost} of ${unwell.signups} lost during outages`,
      verdict: found.lost === 0
        ? `**Consistent, not proven**: it rules out no rate below ${found.ruledOutPercent} %. The ` +
          "argument is the design, and its tests."
        : "**Refuted.**",
    },
    {
      claim: "a subscriber is added by binding a queue",
      measured: `lines of the publisher: ${linesChanged.coupled} → ${linesChanged.events}`,
      verdict: linesChanged.events === 0 ? "**Confirmed.**" : "**Refuted.**",
    },
    {
      claim: "200 ms more for each subscriber",
      measured:
        `coupled: ${found.msPerSubscriber} ms each; events with ${growth.counts.at(-1)}: p50 ` +
        `${growth.p50.events.at(-1)} ms`,
      verdict: "**Measured.** The 20 % of load that the texts add was not.",
    },
    {
      claim: "30 hours of work, paid back in the first week",
      measured: `not measured; the model says ${days(roi(WORKSHOP).breakEvenDays)}`,
      verdict: "**Arithmetic.** It is worth what its assumptions are worth.",
    },
  ];
}

/** English: the report's own words. */
export const ENGLISH: Language = {
  cell: (text) => text,
  origin,
  notes,
  summary,
  claimHead: ["claim", "measured", "verdict"],
  claims,
  roi: { roi: roiOutput() },
};
