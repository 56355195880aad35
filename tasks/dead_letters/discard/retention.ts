/** What a bound on the archive's size leaves out: decided without doing anything. */
import { UsageError } from "@ecomarket/shared/base/errors";
import type { Letter } from "../archive/letters.ts";

const UNITS: Readonly<Record<string, number>> = { KB: 1_000, MB: 1_000_000, GB: 1_000_000_000 };

/** The bytes of `text`, such as `500MB`. @throws {UsageError} when it is no size. */
export function parseSize(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(KB|MB|GB)$/i.exec(text) ?? [];
  if (amount === undefined) {
    throw new UsageError(`--keep-size must be a size such as 500MB, 2GB or 100KB, got "${text}"`);
  }
  return Number(amount) * UNITS[unit!.toUpperCase()]!;
}

/**
 * Those of `letters`, which are in the order of their archiving, that are too many: the oldest, until
 * what is left has at most `keepBytes` of bodies, headers and properties together.
 */
export function tooMany(
  letters: readonly Pick<Letter, "id" | "bytes">[],
  keepBytes: number,
): number[] {
  let left = letters.reduce((sum, { bytes }) => sum + bytes, 0);
  const found: number[] = [];
  for (const { id, bytes } of letters) {
    if (left <= keepBytes) break;
    found.push(id);
    left -= bytes;
  }
  return found;
}
