/** `dead-letters list`: the newest dead letters that wait for a decision. */
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { print } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { Archive } from "../archive/archive.ts";
import { FILTER_OPTIONS, parseFilter } from "./filter.ts";
import { groupId } from "./group.ts";
import { printableJson, shortened } from "@ecomarket/shared/process/printable";
import { waiting } from "./selection.ts";
import { shortTime } from "./time.ts";

/** Dead letters that are listed where no `--limit` is given. */
const DEFAULT_LIMIT = 50;

/** Lists what `args` ask for. */
export function list(args: readonly string[]): void {
  const { values } = parseArguments(args, {
    ...FILTER_OPTIONS,
    limit: { type: "string" },
    json: { type: "boolean" },
  });
  const limit = wholeNumber("limit", values.limit, DEFAULT_LIMIT, { min: 1 });
  const filter = parseFilter(values, new Date());
  using archive = Archive.open();
  const found = waiting(archive, filter);
  const shown = found.slice(-limit).map((letter) => ({ ...letter, group: groupId(letter) }));
  if (values.json) {
    print(printableJson({ total: found.length, letters: shown }));
    return;
  }
  if (shown.length === 0) {
    print("No dead letters");
    return;
  }
  print(renderTable(
    ["id", "origin", "reason", "archived (UTC)", "group"],
    shown.map(({ id, originQueue, reason, archivedAt, group, isReplayed }) => [
      id,
      shortened(originQueue, 17),
      shortened(isReplayed ? `${reason} (sent back)` : reason, 17),
      shortTime(archivedAt),
      group,
    ]),
  ));
  if (shown.length < found.length) {
    print(`and ${found.length - shown.length} older ones: --limit N shows more`);
  }
}
