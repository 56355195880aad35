/** What to do with one item of a replay, from what is known of it: decided without doing anything. */
import type { FullLetter } from "../archive/letters.ts";
import type { EndNote, Item, OperationOptions, SendNote } from "../archive/operations.ts";
import { replayId } from "../archive/operations.ts";
import { eventIdOf, type ReplayMessage, replayMessage } from "./message.ts";

/** What is known of an item before it is sent. */
export interface ItemFacts {
  readonly item: Item;
  readonly options: OperationOptions;
  /** The dead letter, where the archive has it. */
  readonly letter: FullLetter | undefined;
  /** What else was, or may have been, sent for the same dead letter by other operations. */
  readonly otherItems: readonly Item[];
  /** When this operation began, ISO 8601. */
  readonly startedAt: string;
  /** Whether a dead letter has come of this very replay. */
  readonly hasFailedAgain: boolean;
  /** Why nothing can be sent to the origin, where that is so. */
  readonly blockedOrigin: string | undefined;
  /** Whether the origin's inbox has the event; `undefined` where it cannot be asked. */
  isDone(eventId: string): boolean | undefined;
  /** Another dead letter for which this operation has sent the event `eventId` to the same queue. */
  twinOf(eventId: string): number | undefined;
}

/** What to do with an item. */
export type ItemDecision =
  | {
    readonly kind: "send";
    readonly note: SendNote;
    readonly message: ReplayMessage & { kind: "message" };
  }
  | { readonly kind: "end"; readonly note: EndNote };

/**
 * What to do with the item of `facts`:
 *
 * | what is known                                               | decision                        |
 * | ----------------------------------------------------------- | ------------------------------- |
 * | it may have been sent, and its event is in the inbox, or it | sent: it is not sent again      |
 * | has come back as a dead letter                              |                                 |
 * | it may have been sent, and nothing shows it                 | send the very same message      |
 * | its dead letter is discarded, or a copy of another one      | refused                         |
 * | another operation has sent it since this one began          | skipped                         |
 * | another dead letter of this operation has the same event    | skipped                         |
 * | no message can be made of it, or its origin is gone         | refused                         |
 * | its event was done, as it is or as another one, and what    | refused: nothing would happen,  |
 * | would be sent differs from it                               | or it would happen twice        |
 * | anything else                                               | send                            |
 */
export function decideItem(facts: ItemFacts): ItemDecision {
  const { item, letter, options, otherItems } = facts;
  const end = (state: EndNote["state"], detail?: string): ItemDecision => ({
    kind: "end",
    note: { letter: item.letter, state, detail },
  });
  const isInDoubt = item.state === "sending";
  if (isInDoubt && (facts.hasFailedAgain || facts.isDone(item.eventId!) === true)) {
    return end("sent");
  }
  if (!letter) return end("refused", "the archive has no such dead letter");
  if (letter.discardedIn !== undefined) {
    return end("refused", `it was discarded in operation ${letter.discardedIn}`);
  }
  if (letter.copyOf !== undefined) {
    return end("refused", `it is a copy of dead letter ${letter.copyOf}: replay that one`);
  }
  const message = replayMessage(letter, {
    ...options,
    operation: item.operation,
    replayId: replayId(item),
  });
  if (message.kind === "refusal") return end("refused", message.reason);
  if (facts.blockedOrigin !== undefined) return end("refused", facts.blockedOrigin);
  const send: ItemDecision = {
    kind: "send",
    note: {
      letter: item.letter,
      eventId: message.eventId,
      doneBefore: facts.isDone(message.eventId),
    },
    message,
  };
  if (isInDoubt) return send;
  const since = otherItems.find(({ sentAt }) => sentAt !== undefined && sentAt >= facts.startedAt);
  if (since) return end("skipped", `operation ${since.operation} has sent it since`);
  const twin = facts.twinOf(message.eventId);
  if (twin !== undefined) return end("skipped", `dead letter ${twin} has the same event`);
  if (options.newId) return send;
  const doneAs = otherItems.map(({ eventId }) => eventId)
    .find((id) => id !== undefined && id !== message.eventId && facts.isDone(id) === true);
  if (doneAs !== undefined) {
    return end(
      "refused",
      `it was done already, as the new event ${doneAs}: sent as it is, it would be done twice ` +
        "(--new-id does so)",
    );
  }
  if (options.patch !== undefined && facts.isDone(eventIdOf(letter)) === true) {
    return end(
      "refused",
      "its event is in the subscriber's inbox already, so that nothing would happen: " +
        "--new-id sends the patched one as another event",
    );
  }
  return send;
}
