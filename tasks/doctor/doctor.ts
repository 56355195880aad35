/** `deno task doctor`: what is wrong with the broker, the queues and the stores, and what mends it. */
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { CHECKS, examine } from "./checks/checks.ts";
import { exitCodeOf } from "./finding.ts";
import { gatherFacts } from "./gather.ts";
import { reportLines, verdict } from "./report.ts";

const USAGE = `
Usage: deno task doctor [--json]

Looks at the broker, the topology, the stores, the outbox and the sandbox, and
names each fault, why it matters, and what mends it. Changes nothing, and takes
no message from any queue.

Ends with 0 (nothing wrong; notes are no faults), 1 (warnings), 2 (something is
broken, or the command was not understood).
`;

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, { json: { type: "boolean" } });
    if (values.help) return print(USAGE.trim());
    const facts = await gatherFacts(new Date());
    const findings = examine(facts);
    if (values.json) {
      const stores = facts.stores.ok
        ? Object.fromEntries(facts.stores.value.map(({ name, bytes }) => [name, bytes]))
        : {};
      const report = { verdict: verdict(findings, CHECKS.length), checks: CHECKS.length, findings };
      print(JSON.stringify({ ...report, storeBytes: stores }));
    } else reportLines(findings, CHECKS.length).forEach((line) => print(line));
    return exitCodeOf(findings);
  });
}
