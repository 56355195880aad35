/** What each version is put through, and what came of it. */

/** A command of the project that is run on each version. */
export interface Trial {
  readonly name: string;
  /** As a person runs it; its words are separated by one space. */
  readonly command: string;
  /** The line of its output that tells its result, and the words in it that say the most. */
  readonly verdict: RegExp;
}

/** How Deno's test runner ends: `ok | 12 passed (3 steps) | 0 failed | 2 ignored (3s)`. */
const TESTS = /^(?:ok|FAILED) \| (\d+ passed).*? \| (\d+ failed)/gm;

/** In the order in which they are run. */
export const TRIALS: readonly Trial[] = [
  { name: "suite", command: "deno task test", verdict: TESTS },
  {
    name: "chaos",
    command: "deno task chaos --seed 1",
    // ✓ lost 0, duplicate effects 0; 29 of 29 faults proven and overcome.
    verdict: /^[✓✗] (.+?)(?: proven and overcome)?\.?$/gm,
  },
  {
    // What each role's user may not do on the broker, and its process not in the sandbox.
    name: "denials",
    command: "deno test -q -P=operator " +
      "tests/integration/permissions_test.ts tests/integration/sandbox_test.ts",
    verdict: TESTS,
  },
];

/** What `output` says of the result of `trial`; that it does not, where it ended before it could. */
export function outcomeOf({ verdict }: Trial, output: string): string {
  const plain = output.replaceAll(COLOURS, "");
  return [...plain.matchAll(verdict)].at(-1)?.slice(1).join(", ") ?? "ended without a result";
}

// deno-lint-ignore no-control-regex -- an escape sequence begins with one
const COLOURS = /\x1b\[[0-9;]*m/g;
