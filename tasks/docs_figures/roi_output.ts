import { WORKSHOP } from "../roi/model.ts";
import { textReport } from "../roi/report.ts";

const { signupsPerDay, valuePerUser, failureRate } = WORKSHOP;

/** What `deno task roi` prints for the workshop's figures, as a block under its command. */
export function roiOutput(): string {
  const command = `deno task roi --signups ${signupsPerDay} --value ${valuePerUser} ` +
    `--failure-rate ${failureRate}`;
  return ["```sh", command, "```", "", "```text", textReport(WORKSHOP), "```"].join("\n");
}
