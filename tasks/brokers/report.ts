/** What `deno task test:brokers` prints, and what `docs/brokers.md` says. */
import { renderTable } from "@ecomarket/shared/process/table";
import { type Machine, machineText } from "../report/circumstances.ts";
import { markdownTable } from "../report/markdown_table.ts";
import { TRIALS, type VersionResult } from "./trials.ts";

/** All that is known of a run over several versions. */
export interface BrokersRun {
  readonly command: string;
  readonly date: Date;
  readonly deno: string;
  readonly machine: Machine;
  readonly results: readonly VersionResult[];
}

/** One row a trial, for a terminal of 80 columns. */
export function textReport({ results }: BrokersRun): string {
  return renderTable(
    ["RabbitMQ", "trial", "", "s"],
    results.flatMap(({ version, trials }) =>
      trials.map(({ name, isOk, outcome, elapsedMs }) => [
        version,
        name,
        `${isOk ? "✓" : "✗"} ${outcome}`,
        Math.round(elapsedMs / 1_000),
      ])
    ),
  );
}

/** One row a version, for the record. */
export function markdownReport({ command, date, deno, machine, results }: BrokersRun): string {
  const run = TRIALS.filter(({ name }) =>
    results.some(({ trials }) => trials.some((trial) => trial.name === name))
  );
  return `# RabbitMQ versions that this project is run on

Made by \`${command}\` on ${date.toISOString().slice(0, 10)}, on ${
    machineText(machine)
  }, Deno ${deno}.
Each version is the one that a Debian release packages, with its own Erlang, run on this machine.

${
    markdownTable(
      ["RabbitMQ", "Debian", ...run.map(({ name }) => name)],
      results.map(({ version, suite, trials }) => [
        version,
        suite,
        ...run.map(({ name }) => {
          const found = trials.find((trial) => trial.name === name);
          if (!found) return "not run";
          const { isOk, outcome, elapsedMs } = found;
          return `${isOk ? "✓" : "✗"} ${outcome} (${Math.round(elapsedMs / 1_000)} s)`;
        }),
      ]),
    )
  }

${run.map(({ name, command }) => `- **${name}**: \`${command}\``).join("\n")}

Not run: any other version, and any of them in a container (docker-compose.yml).
`;
}
