/**
 * `deno task audit`: asks the registry which advisories there are for the packages in `deno.lock`. A
 * registry that cannot be asked is told, and is no reason to stop working.
 */
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { printableLines } from "@ecomarket/shared/process/printable";
import { runProgram } from "@ecomarket/setup/machine/run_program";

const USAGE = `
Usage: deno task audit [--required] [--registry URL] [--timeout-ms N]

Asks the npm registry for advisories on every package in deno.lock, and prints
them.

  --required      end with 1 where the registry cannot be asked
  --registry URL  ask this one, where the usual one is a mirror that knows none
  --timeout-ms N  how long it may take (default: 20000)
  -h, --help      show this text

Exit codes: 0 no advisory, or nobody could be asked; 1 there are advisories.
`;

/** What came of it. */
type Verdict =
  | { readonly kind: "clean" }
  | { readonly kind: "advisories"; readonly text: string }
  | { readonly kind: "not-asked"; readonly reason: string };

/** Asks. n.b. `deno audit` ends alike for an advisory and for a registry that is away, unless told to (2.9). */
async function audit(
  registry: string | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Verdict> {
  const args = ["audit", "--ignore-registry-errors"];
  const result = await runProgram(Deno.execPath(), args, {
    timeoutMs,
    env: { NO_COLOR: "1", ...(registry ? { NPM_CONFIG_REGISTRY: registry } : {}) },
    signal,
  });
  const { success = false, output = "" } = result ?? {};
  if (/Failed to get data from the registry|did not end within/.test(output)) {
    return { kind: "not-asked", reason: output.split("\n").findLast((line) => line !== "") ?? "" };
  }
  if (!success) return { kind: "advisories", text: output };
  return { kind: "clean" };
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args, signal }) => {
    const { values } = parseArguments(args, {
      required: { type: "boolean" },
      registry: { type: "string" },
      "timeout-ms": { type: "string" },
    });
    if (values.help) return print(USAGE.trim());
    const timeoutMs = wholeNumber("timeout-ms", values["timeout-ms"], 20_000, { min: 1 });
    const verdict = await audit(values.registry, timeoutMs, signal);
    switch (verdict.kind) {
      case "clean":
        return print("No advisory is known for the packages in deno.lock");
      case "advisories":
        print(printableLines(verdict.text).join("\n"));
        printError("error: mend them: deno audit --fix, or another version in deno.json");
        return 1;
      case "not-asked":
        printError(`The registry's advisories are not known: ${printableLines(verdict.reason)}`);
        return values.required ? 1 : 0;
    }
  });
}
