/** What an operation has done, and what became of what it sent. */
import type { Archive } from "../archive/archive.ts";
import type { Inboxes } from "../archive/inboxes.ts";
import type { Item, ItemCounts, Operation } from "../archive/operations.ts";
import { printable } from "@ecomarket/shared/process/printable";
import { readVerdict, type Verdict, verdictInWords } from "../replay/verdict.ts";

/** Where an operation stands. */
export type OperationState = "done" | "unfinished" | "aborted";

/** One operation, with a verdict on each of its items. */
export interface OperationReport extends Omit<Operation, "abortedAt"> {
  readonly state: OperationState;
  readonly counts: ItemCounts;
  readonly items: readonly (Item & { readonly verdict: Verdict })[];
}

/** Where an operation with these items stands. */
export function stateOf({ abortedAt }: Operation, counts: ItemCounts): OperationState {
  if (abortedAt !== undefined) return "aborted";
  return counts.pending + counts.sending > 0 ? "unfinished" : "done";
}

/** Reads what became of `operation` by now. */
export function reportOf(
  operation: Operation,
  archive: Archive,
  inboxes: Inboxes,
): OperationReport {
  const counts = archive.operations.counts(operation.id);
  const { abortedAt: _, ...facts } = operation;
  return {
    ...facts,
    state: stateOf(operation, counts),
    counts,
    items: archive.operations.items(operation.id)
      .map((item) => ({ ...item, verdict: readVerdict(item, archive, inboxes) })),
  };
}

/** Items that are told one by one, where a person reads. */
const MAX_ITEMS = 20;

/** Verdicts about which nothing more is to be said. */
const PLAIN: ReadonlySet<Verdict["kind"]> = new Set(["handled", "discarded", "pending"]);

/** What a person reads: how many of each, and each one that is not as it should be. */
export function reportLines({ id, counts, items, state }: OperationReport): string[] {
  const verdicts = Map.groupBy(items, ({ verdict }) => verdict.kind);
  const summary = [...verdicts].map(([kind, { length }]) => `${length} ${NAMES[kind]}`);
  const remarkable = items.filter(({ verdict }) => !PLAIN.has(verdict.kind));
  const shown = items.length <= MAX_ITEMS ? items : remarkable.slice(0, MAX_ITEMS);
  const more = items.length <= MAX_ITEMS ? 0 : remarkable.length - shown.length;
  const inDoubt = counts.sending > 0
    ? [`${counts.sending} of them may have been sent: no confirm was noted`]
    : [];
  return [
    `Operation ${id}: ${summary.join(", ") || "nothing to do"}`,
    ...shown.map(({ letter, verdict }) => `  ${letter}: ${printable(verdictInWords(verdict))}`),
    ...(more > 0 ? [`  and ${more} more that --json lists`] : []),
    ...inDoubt,
    ...(state === "unfinished"
      ? [`Go on with: deno task dead-letters operations resume ${id}`]
      : []),
  ];
}

const NAMES: Readonly<Record<Verdict["kind"], string>> = {
  handled: "handled",
  "failed-again": "failed again",
  "already-done": "already in the inbox",
  waiting: "still waiting",
  unknown: "unknown",
  pending: "not sent yet",
  refused: "refused",
  skipped: "skipped",
  discarded: "discarded",
};
