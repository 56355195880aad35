/** What `deno task test:brokers` prints, and what `docs/brokers.md` says. */
import { renderTable } from "@ecomarket/shared/process/table";
import { type Machine, machineText } from "../report/circumstances.ts";
import { markdownTable } from "../report/markdown_table.ts";
import type { TrialResult } from "./results.ts";
import { TRIALS } from "./trials.ts";

/** One row a trial, for a terminal of 80 columns. */
export function textReport(results: readonly TrialResult[]): string {
  return renderTable(
    ["RabbitMQ", "trial", "", "s"],
    results.map(({ version, trial, isOk, outcome, elapsedMs }) => [
      version,
      trial,
      shown(isOk, outcome),
      seconds(elapsedMs),
    ]),
  );
}

/** One row a trial, for the record: those of every run whose results are kept. */
export function markdownReport(results: readonly TrialResult[], machine: Machine): string {
  const deno = [...new Set(results.map((result) => result.deno))].join(", ");
  const rows = results.map(({ version, suite, trial, isOk, outcome, elapsedMs, commit, date }) => [
    version,
    suite,
    trial,
    shown(isOk, outcome),
    seconds(elapsedMs),
    commit,
    date.toISOString().slice(0, 10),
  ]);
  const trials = TRIALS.filter(({ name }) => results.some(({ trial }) => trial === name));
  return `# RabbitMQ versions that this project is run on

Written by \`deno task test:brokers --report\`, on ${machineText(machine)}, Deno ${deno}. Each
version is the one that a Debian release packages, with its own Erlang. Each row is the last run of
a trial on a version, and the commit that was run.

${markdownTable(["RabbitMQ", "Debian", "trial", "result", "s", "commit", "date"], rows)}

${trials.map(({ name, command }) => `- **${name}**: \`${command}\``).join("\n")}

Not run: any other version, and any of them in a container (docker-compose.yml).
`;
}

function shown(isOk: boolean, outcome: string): string {
  return `${isOk ? "✓" : "✗"} ${outcome}`;
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1_000);
}
