/** What became of a message that was sent back: decided from what the archive and the inbox say. */
import type { Archive } from "../archive/archive.ts";
import type { Inboxes } from "../archive/inboxes.ts";
import type { NewFailure } from "../archive/letters.ts";
import { type Item, replayId } from "../archive/operations.ts";

/** What became of it. */
export type Verdict =
  /**
   * Its effect is committed, and was not before. `failure` is what another copy had come to: the one
   * that was sent again afterwards, or one of two that were sent in doubt.
   */
  | { readonly kind: "handled"; readonly failure: NewFailure | undefined }
  /** It is a dead letter again: a new one, with an error of its own. */
  | { readonly kind: "failed-again"; readonly failure: NewFailure }
  /** It was in the inbox before it was sent: nothing was done twice. */
  | { readonly kind: "already-done" }
  /** It is in its queue, in a retry queue, or in the works. */
  | { readonly kind: "waiting" }
  /** The subscriber's store cannot be asked from here. */
  | { readonly kind: "unknown" }
  /** It was not sent. `detail` says why, where there is a reason. */
  | {
    readonly kind: "pending" | "refused" | "skipped" | "discarded";
    readonly detail: string | undefined;
  };

/** What is known of an item. */
export interface VerdictFacts {
  readonly item: Item;
  /** The dead letter that came of it. */
  readonly failure: NewFailure | undefined;
  /** Whether the inbox has its event; `undefined` where it cannot be asked. */
  readonly isDone: boolean | undefined;
}

/**
 * What became of the item. n.b. the inbox comes first: where two copies were sent, one may have failed
 * and the other one done it, and then it is done.
 */
export function verdictOf({ item, failure, isDone }: VerdictFacts): Verdict {
  const { state, detail } = item;
  if (state !== "sent" && state !== "sending") return { kind: state, detail };
  if (isDone === true) {
    return item.doneBefore ? { kind: "already-done" } : { kind: "handled", failure };
  }
  if (failure) return { kind: "failed-again", failure };
  if (isDone === undefined) return { kind: "unknown" };
  return { kind: "waiting" };
}

/** What became of `item`, as far as `archive` and `inboxes` know by now. */
export function readVerdict(item: Item, archive: Archive, inboxes: Inboxes): Verdict {
  const letter = item.eventId === undefined ? undefined : archive.letters.find(item.letter);
  if (!letter || item.eventId === undefined) {
    return verdictOf({ item, failure: undefined, isDone: undefined });
  }
  const ids = [letter.messageId, item.eventId];
  const failure = archive.letters.ofReplay(replayId(item), ids, letter.originQueue);
  return verdictOf({ item, failure, isDone: inboxes.has(letter.originQueue, item.eventId) });
}

/** A verdict in words. */
export function verdictInWords(verdict: Verdict): string {
  switch (verdict.kind) {
    case "handled":
      return verdict.failure
        ? `handled, after it had failed again as dead letter ${verdict.failure.letter}`
        : "handled";
    case "failed-again": {
      const { letter, reason, message } = verdict.failure;
      return `failed again: dead letter ${letter}, ${reason}: ${message}`;
    }
    case "already-done":
      return "already in the inbox: nothing was done twice";
    case "waiting":
      return "still waiting";
    case "unknown":
      return "unknown: its store is not on this machine";
    case "pending":
      return "not sent yet";
    case "discarded":
      return "discarded: body and headers are gone";
    default:
      return verdict.detail === undefined ? verdict.kind : `${verdict.kind}: ${verdict.detail}`;
  }
}
