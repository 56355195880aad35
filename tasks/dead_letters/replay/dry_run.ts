/** `dead-letters replay --dry-run`: what would be sent. It sends and records nothing. */
import { print } from "@ecomarket/shared/process/main";
import type { Archive } from "../archive/archive.ts";
import type { Inboxes } from "../archive/inboxes.ts";
import type { Letter } from "../archive/letters.ts";
import type { Operation } from "../archive/operations.ts";
import { printable, printableJson, shortened } from "@ecomarket/shared/process/printable";
import { contractProblem } from "./message.ts";
import { decideItems } from "./run_replay.ts";

/** Dead letters that are shown one by one, where a person reads. */
const MAX_SHOWN = 20;
/** Characters of a body that are shown. */
const MAX_BODY = 1_000;

interface DryRunOptions {
  readonly archive: Archive;
  readonly inboxes: Inboxes;
  readonly limit: number;
  readonly json: boolean;
}

/** Tells what `operation` would send for `letters`. Asks no broker. @returns the exit code. */
export function dryRun(
  operation: Operation,
  letters: readonly Letter[],
  { archive, inboxes, limit, json }: DryRunOptions,
): number {
  const items = letters.slice(0, limit).map(({ id }) => ({
    operation: operation.id,
    letter: id,
    state: "pending" as const,
    eventId: undefined,
    doneBefore: undefined,
    sentAt: undefined,
    detail: undefined,
  }));
  const blockedOrigins = new Map<string, string>();
  const found = decideItems(operation, items, { archive, inboxes, blockedOrigins })
    .map((decision) => describe(decision, operation, archive));
  if (json) print(printableJson({ dryRun: true, letters: found }));
  else show(found, letters.length);
  return found.some(({ refused }) => refused !== undefined) ? 1 : 0;
}

interface WouldBe {
  readonly letter: number;
  readonly queue?: string;
  readonly eventId?: string;
  readonly body?: string;
  /** What is wrong with it as today's contract reads it: it would fail again. */
  readonly problem?: string | undefined;
  readonly refused?: string | undefined;
}

function describe(
  decision: ReturnType<typeof decideItems>[number],
  { options }: Operation,
  archive: Archive,
): WouldBe {
  const { note } = decision;
  if (decision.kind === "end") return { letter: note.letter, refused: decision.note.detail };
  const { outgoing, eventId } = decision.message;
  const isEdited = options.patch !== undefined || options.newId;
  return {
    letter: note.letter,
    queue: outgoing.routingKey,
    eventId,
    body: outgoing.content.toString(),
    // n.b. what was edited is judged already.
    problem: isEdited ? undefined : contractProblem(archive.letters.find(note.letter)!),
  };
}

function show(found: readonly WouldBe[], total: number): void {
  for (const { letter, queue, eventId, body, problem, refused } of found.slice(0, MAX_SHOWN)) {
    if (refused !== undefined) {
      print(`${letter}: refused: ${printable(refused)}`);
      continue;
    }
    print(`${letter}: to ${printable(queue!)}, event ${printable(eventId!)}`);
    if (problem !== undefined) print(`  it would fail again: ${printable(problem)}`);
    print(`  ${shortened(body!, MAX_BODY)}`);
  }
  if (found.length > MAX_SHOWN) print(`and ${found.length - MAX_SHOWN} more that --json lists`);
  const left = total - found.length;
  print(
    `Nothing was sent: ${found.length} would be tried` +
      (left > 0 ? `, ${left} would wait in the operation` : ""),
  );
}
