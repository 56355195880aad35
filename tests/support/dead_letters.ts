/** `deno task dead-letters` as a person runs it, in its sandbox, and what it says as data. */
import assert from "node:assert/strict";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";
import type { Bench } from "./bench.ts";

const SCRIPT = "tasks/dead_letters/dead_letters.ts";

/** n.b. a folder that is not `data/` is two more flags, as docs/reference.md says. */
function command(directory: string): string[] {
  const flags = [`--allow-read=${directory}`, `--allow-write=${directory}/dead_letters`];
  return ["run", "-q", "-P=dead-letters", ...flags, SCRIPT];
}

function environment(bench: Pick<Bench, "amqpUrl" | "directory">): Record<string, string> {
  return { AMQP_URL: bench.amqpUrl, DATA_DIR: bench.directory, USER: "ana", HOSTNAME: "portatil" };
}

/** Runs the command on the broker and the folder of `bench`, to its end. */
export function deadLetters(
  bench: Pick<Bench, "amqpUrl" | "directory">,
  ...args: readonly string[]
): Promise<Finished> {
  return runDeno([...command(bench.directory), ...args], environment(bench));
}

/** What the command says with `--json`. Fails where it does not end with `code`. */
export async function deadLettersJson(
  bench: Pick<Bench, "amqpUrl" | "directory">,
  args: readonly string[],
  code = 0,
  // deno-lint-ignore no-explicit-any -- a test asserts what is in it
): Promise<any> {
  const finished = await deadLetters(bench, ...args, "--json");
  assert.equal(finished.code, code, `${finished.stdout}${finished.stderr}`);
  return JSON.parse(finished.stdout);
}

/** Starts the command, for a test that kills it. */
export function startDeadLetters(bench: Bench, ...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...command(bench.directory), ...args],
    cwd: PROJECT_ROOT,
    env: environment(bench),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}
