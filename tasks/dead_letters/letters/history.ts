/** What has happened to a dead letter, in words, the oldest first. */
import type { Archive } from "../archive/archive.ts";
import type { Inboxes } from "../archive/inboxes.ts";
import type { FullLetter } from "../archive/letters.ts";
import { readVerdict, verdictInWords } from "../replay/verdict.ts";
import { shortTime } from "./time.ts";

/** How it came to be a dead letter, what replay it comes from, and what its own replays led to. */
export function historyOf(letter: FullLetter, archive: Archive, inboxes: Inboxes): string[] {
  const tries = letter.retries === 0
    ? "at its first attempt"
    : `after ${letter.retries} ${letter.retries === 1 ? "retry" : "retries"}`;
  const failed = letter.failedAt === undefined ? "" : `${shortTime(letter.failedAt)} `;
  return [
    ...comesFrom(letter, archive),
    `${failed}failed ${tries}: ${letter.reason}`,
    ...deathsInWords(letter.headers),
    `${shortTime(letter.archivedAt)} archived`,
    ...replaysInWords(letter, archive, inboxes),
    ...archive.letters.copiesOf(letter.id).map((id) =>
      `dead letter ${id} is of a second copy of the same replay, and does not count`
    ),
  ];
}

function comesFrom(letter: FullLetter, archive: Archive): string[] {
  const [, operation, id] = /^(.+)\/(\d+)$/.exec(letter.replayId ?? "") ?? [];
  const found = operation === undefined ? undefined : archive.operations.find(operation);
  if (!found || found.id !== operation) return [];
  return [`sent back before, as dead letter ${id}, by operation ${operation}`];
}

function replaysInWords(letter: FullLetter, archive: Archive, inboxes: Inboxes): string[] {
  return archive.operations.ofLetter(letter.id).map((item) => {
    const operation = archive.operations.find(item.operation);
    const when = shortTime(item.sentAt ?? operation?.startedAt ?? "");
    const patch = operation?.options.patch;
    const edited = patch === undefined ? "" : `, patched with ${JSON.stringify(patch)}`;
    const who = operation?.who ?? "unknown";
    const what = `${when} ${operation?.kind ?? "operation"} ${item.operation} by ${who}${edited}`;
    const why = operation && operation.why !== "" ? ` (${operation.why})` : "";
    return `${what}${why}: ${verdictInWords(readVerdict(item, archive, inboxes))}`;
  });
}

/** What the broker's `x-death` says, for one that the broker itself dead-lettered. */
function deathsInWords(headers: string): string[] {
  const deaths: unknown = JSON.parse(headers)["x-death"];
  if (!Array.isArray(deaths)) return [];
  return deaths.filter((death) => typeof death === "object" && death !== null)
    .map(({ queue, reason, count }) =>
      `the broker took it out of ${queue}: ${reason}, ${count} time(s)`
    );
}
