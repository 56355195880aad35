/**
 * Carries a replay out, from wherever an earlier try was killed. What may be sent is noted first, and
 * what is confirmed afterwards: between the two lies the only moment in which it is not known.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ConfirmResult, Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import type { Archive } from "../archive/archive.ts";
import type { Inboxes } from "../archive/inboxes.ts";
import {
  type EndNote,
  type Item,
  type Operation,
  type OperationOptions,
  replayId,
} from "../archive/operations.ts";
import { decideItem, type ItemDecision } from "./decide.ts";
import { sendMessage } from "./send.ts";

/** Messages that are under way at once where no rate is asked for. */
const WINDOW = 100;
/** With a rate, so many groups of messages leave in a second. */
const GROUPS_PER_SECOND = 10;

/** What a replay works with. */
export interface ReplayContext {
  readonly archive: Archive;
  readonly inboxes: Inboxes;
  send(outgoing: Outgoing): Promise<ConfirmResult>;
  /** The origins to which nothing can be sent, and why. */
  readonly blockedOrigins: ReadonlyMap<string, string>;
}

/** How far one run goes. */
export interface RunOptions extends Pick<OperationOptions, "rate"> {
  /** Dead letters that are sent or refused at most; the others stay pending. */
  readonly limit: number;
  /** Once it aborts, nothing further is begun; what is under way settles. */
  readonly signal: AbortSignal;
  readonly onProgress: (settled: number) => void;
}

/** Why a run ended. */
export type RunEnd =
  | { readonly kind: "done" | "limit" | "interrupted" }
  /** The broker's answer is missing: some may have been sent. */
  | { readonly kind: "stopped"; readonly reason: string };

/** Does what `operation` has still to do, up to `limit`. Killed anywhere, it can be called again. */
export async function runReplay(
  operation: Operation,
  context: ReplayContext,
  { limit, rate, signal, onProgress }: RunOptions,
): Promise<RunEnd> {
  const { operations } = context.archive;
  const startedAt = performance.now();
  let settled = 0;
  while (settled < limit) {
    if (signal.aborted) return { kind: "interrupted" };
    const items = operations.next(operation.id, Math.min(groupSize(rate), limit - settled));
    if (items.length === 0) return { kind: "done" };
    const decisions = decideItems(operation, items, context);
    const sends = decisions.filter((decision) => decision.kind === "send");
    const ends = decisions.filter((decision) => decision.kind === "end");
    await operations.mark(
      operation.id,
      sends.map(({ note }) => note),
      ends.map(({ note }) => note),
      new Date(),
    );
    const results = await Promise.all(sends.map(async ({ note, message }) => ({
      letter: note.letter,
      result: await sendMessage(message, (outgoing) => context.send(outgoing)),
    })));
    await operations.end(
      operation.id,
      results.flatMap(({ letter, result }): EndNote[] =>
        result.kind === "ambiguous"
          ? []
          : [{ letter, state: result.kind, detail: "reason" in result ? result.reason : undefined }]
      ),
    );
    const inDoubt = results.map(({ result }) => result).find(({ kind }) => kind === "ambiguous");
    if (inDoubt?.kind === "ambiguous") return { kind: "stopped", reason: inDoubt.reason };
    settled += items.length;
    onProgress(settled);
    if (rate !== undefined) await pause(startedAt + settled / rate * 1_000, signal);
  }
  return { kind: operations.next(operation.id, 1).length === 0 ? "done" : "limit" };
}

function groupSize(rate: number | undefined): number {
  return rate === undefined ? WINDOW : Math.max(1, Math.floor(rate / GROUPS_PER_SECOND));
}

async function pause(until: number, signal: AbortSignal): Promise<void> {
  const ms = until - performance.now();
  if (ms > 0) await delay(ms, undefined, { signal }).catch(() => {}); // Stopped: the loop sees it.
}

/** Decides on `items` in order: of two that have the same event, the later one sees the earlier. */
export function decideItems(
  operation: Pick<Operation, "id" | "options" | "startedAt">,
  items: readonly Item[],
  context: Omit<ReplayContext, "send">,
): ItemDecision[] {
  const { letters, operations } = context.archive;
  const decisions: ItemDecision[] = [];
  const inThisGroup = new Map<string, number>();
  for (const item of items) {
    const letter = letters.find(item.letter);
    const queue = letter?.originQueue ?? "";
    const key = (eventId: string) => JSON.stringify([queue, eventId]);
    const decision = decideItem({
      item,
      letter,
      options: operation.options,
      otherItems: operations.ofLetter(item.letter)
        .filter(({ operation: id, state }) =>
          id !== operation.id && (state === "sending" || state === "sent")
        ),
      startedAt: operation.startedAt,
      hasFailedAgain: letter !== undefined && item.eventId !== undefined &&
        letters.ofReplay(replayId(item), [letter.messageId, item.eventId], queue) !== undefined,
      blockedOrigin: context.blockedOrigins.get(queue),
      isDone: (eventId) => context.inboxes.has(queue, eventId),
      twinOf: (eventId) =>
        inThisGroup.get(key(eventId)) ?? operations.sentAs(operation.id, eventId, queue),
    });
    if (decision.kind === "send") inThisGroup.set(key(decision.note.eventId), item.letter);
    decisions.push(decision);
  }
  return decisions;
}
