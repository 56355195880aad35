/** Which dead letters a decision is about: some by their ids, or all that a filter means. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { type Archive, ArchiveError } from "../archive/archive.ts";
import type { Letter } from "../archive/letters.ts";
import {
  type Filter,
  type FilterValues,
  matches,
  parseFilter,
  refuseUnknownSubscriber,
} from "./filter.ts";

/** What was asked for. */
export type Selection =
  | { readonly kind: "ids"; readonly ids: readonly number[] }
  | { readonly kind: "filter"; readonly filter: Filter };

/**
 * The selection of a command line: ids, or a filter.
 *
 * @throws {UsageError} when there are both, or an id is none.
 */
export function parseSelection(
  words: readonly string[],
  values: FilterValues,
  now: Date,
): Selection {
  const isFiltered = Object.values(values).some((value) => value !== undefined);
  if (words.length === 0) return { kind: "filter", filter: parseFilter(values, now) };
  if (isFiltered) throw new UsageError("Name dead letters by their ids or by options, not by both");
  return { kind: "ids", ids: [...new Set(words.map(parseId))].sort((a, b) => a - b) };
}

/** @throws {UsageError} when `word` is no id of a dead letter. */
export function parseId(word: string): number {
  const id = /^[1-9]\d{0,14}$/.test(word) ? Number(word) : NaN;
  if (Number.isNaN(id)) {
    throw new UsageError(`A dead letter is named by its number, got "${word}"`);
  }
  return id;
}

/**
 * What `selection` means in `archive`, the oldest first.
 *
 * @throws {ArchiveError} when an id names none, or what was discarded already.
 * @throws {UsageError} when a filter names a subscriber that nobody knows.
 */
export function select(archive: Archive, selection: Selection): readonly Letter[] {
  if (selection.kind === "filter") return waiting(archive, selection.filter);
  return selection.ids.map((id) => {
    const letter = archive.letters.find(id);
    if (!letter) throw new ArchiveError(`There is no dead letter ${id} in ${archive.directory}`);
    if (letter.discardedIn === undefined) return letter;
    throw new ArchiveError(
      `Dead letter ${id} was discarded: deno task dead-letters operations show ${letter.discardedIn}`,
    );
  });
}

/**
 * The dead letters of `archive` that `filter` means, the oldest first: neither copies nor tombstones.
 *
 * @throws {UsageError} when it names a subscriber that nobody knows.
 */
export function waiting(archive: Archive, filter: Filter): readonly Letter[] {
  refuseUnknownSubscriber(filter, archive.letters.origins());
  return archive.letters.waiting((letter) => matches(letter, filter));
}

/** `args` as a person could type them, for the record of an operation. */
export function inWords(args: readonly string[]): string {
  return args.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)).join(" ");
}
