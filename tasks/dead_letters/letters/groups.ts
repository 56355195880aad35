/** `dead-letters groups`: what the dead letters died of, the most frequent first. */
import { parseArguments } from "@ecomarket/shared/process/args";
import { print } from "@ecomarket/shared/process/main";
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import { Archive } from "../archive/archive.ts";
import { FILTER_OPTIONS, type Filterable, parseFilter } from "./filter.ts";
import { groupId, normalise } from "./group.ts";
import { printable, printableJson } from "@ecomarket/shared/process/printable";
import { shortTime } from "./time.ts";
import { waiting } from "./selection.ts";

/** Dead letters of one queue that died of the same thing. */
export interface Group {
  readonly group: string;
  readonly originQueue: string;
  readonly reason: string;
  /** Without what is different in each. */
  readonly message: string;
  readonly count: number;
  /** When the first and the last of them were archived, ISO 8601. */
  readonly first: string;
  readonly last: string;
}

/** The groups of `letters`, which are in the order of their archiving: the largest first. */
export function groupsOf(letters: readonly Filterable[]): Group[] {
  return [...Map.groupBy(letters, groupId)].map(([group, members]) => {
    const { originQueue, reason, failureMessage } = members[0]!;
    return {
      group,
      originQueue,
      reason,
      message: normalise(failureMessage),
      count: members.length,
      first: members[0]!.archivedAt,
      last: members.at(-1)!.archivedAt,
    };
  }).sort((a, b) => b.count - a.count || a.first.localeCompare(b.first));
}

/** Shows the groups that `args` ask for. */
export function groups(args: readonly string[]): void {
  const { values } = parseArguments(args, { ...FILTER_OPTIONS, json: { type: "boolean" } });
  const filter = parseFilter(values, new Date());
  using archive = Archive.open();
  const found = groupsOf(waiting(archive, filter));
  if (values.json) {
    print(printableJson(found));
    return;
  }
  if (found.length === 0) print("No dead letters");
  for (const { group, originQueue, reason, message, count, first, last } of found) {
    print(`${group}  ${count} of ${printable(originQueue)}, ${printable(reason)}`);
    print(`          ${shortTime(first)} to ${shortTime(last)} (UTC)`);
    for (const line of wrapText(printable(message), 68)) print(`          ${line}`);
  }
}
