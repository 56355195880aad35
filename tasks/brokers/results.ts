/**
 * What the trials came to, kept beside the versions that they were run on: all of them take most of an
 * hour, and need not be one run.
 */
import { join } from "node:path";
import { z } from "zod";
import { BrokerSetupError, ignoreNotFound } from "@ecomarket/shared/base/errors";
import { TRIALS } from "./trials.ts";

const resultSchema = z.object({
  /** As the broker itself says. */
  version: z.string(),
  /** The Debian release that it is from. */
  suite: z.string(),
  trial: z.string(),
  isOk: z.boolean(),
  /** In a few words: `690 passed, 0 failed`. */
  outcome: z.string(),
  elapsedMs: z.number(),
  /** Of the project, such as `9d7519a`; with `-dirty` where something was not committed. */
  commit: z.string(),
  date: z.coerce.date(),
  deno: z.string(),
});

/** How one trial ended on one version. */
export type TrialResult = Readonly<z.infer<typeof resultSchema>>;

/** The results that are kept in `cache`: the last of each trial on each version, oldest version first. */
export async function keptResults(cache: string): Promise<readonly TrialResult[]> {
  const text = await Deno.readTextFile(fileIn(cache)).catch(ignoreNotFound);
  if (text === undefined) return [];
  try {
    return z.array(resultSchema).parse(JSON.parse(text));
  } catch (cause) {
    throw new BrokerSetupError(
      `${fileIn(cache)} is not what this command writes. Remove it, then try again.`,
      { cause },
    );
  }
}

/** Keeps `result` in `cache`, in the place of an earlier one of the same trial and version. */
export async function keepResult(cache: string, result: TrialResult): Promise<void> {
  const results = withResult(await keptResults(cache), result);
  const file = fileIn(cache);
  await Deno.writeTextFile(`${file}.new`, `${JSON.stringify(results, null, 2)}\n`);
  await Deno.rename(`${file}.new`, file);
}

/** `results` with `result` in the place of what it replaces; in order. */
export function withResult(
  results: readonly TrialResult[],
  result: TrialResult,
): readonly TrialResult[] {
  const { version, trial } = result;
  return [...results.filter((one) => one.version !== version || one.trial !== trial), result]
    .toSorted((a, b) => byVersion(a.version, b.version) || place(a.trial) - place(b.trial));
}

const { compare: byVersion } = new Intl.Collator("en", { numeric: true });

function place(trial: string): number {
  return TRIALS.findIndex(({ name }) => name === trial);
}

function fileIn(cache: string): string {
  return join(cache, "results.json");
}
