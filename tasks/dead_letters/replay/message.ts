/** The message that a dead letter is sent back as, or why it cannot be: decided without doing anything. */
import { Buffer } from "node:buffer";
import type { MessageProperties } from "amqplib";
import { v5 as uuidV5 } from "uuid";
import { InvalidMessageError, messageOf } from "@ecomarket/shared/base/errors";
import { decode, EVENT_TYPES, EVENTS, type EventType } from "@ecomarket/shared/contract/catalogue";
import {
  headersForReplay,
  minimalOptions,
  republishOptions,
  X_ORIGINAL_PROPERTIES,
  X_REPLACES_EVENT,
  X_RETRIES,
} from "@ecomarket/shared/contract/headers";
import { type Body, parseBody } from "@ecomarket/shared/contract/message";
import { retryExchange, SUBSCRIPTIONS } from "@ecomarket/shared/contract/topology";
import type { Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import type { FullLetter } from "../archive/letters.ts";
import { mergePatch } from "./patch.ts";

/** What of an operation decides about the message. */
export interface MessageOptions {
  readonly operation: string;
  readonly replayId: string;
  readonly patch?: Body | undefined;
  readonly newId?: boolean | undefined;
  readonly poison?: boolean | undefined;
}

/** What to send, or why not. */
export type ReplayMessage =
  | {
    readonly kind: "message";
    /** By which the subscriber's inbox will know it. */
    readonly eventId: string;
    readonly outgoing: Outgoing;
    /** For properties that cannot be written: see {@link minimalOptions}. */
    readonly fallback: Outgoing;
  }
  | { readonly kind: "refusal"; readonly reason: string };

/** The UUIDv5 namespace of the ids of `--new-id`. Changing it would let a resumed operation send twice. */
const NEW_ID_NAMESPACE = "5a4ff1b4-40a5-4d5c-8b43-1d6a5a1d9f0e";

/** The broker's own reason for a message whose consumer died each time. */
const DEADLY = "delivery_limit";

/**
 * The message with which `letter` goes back to its origin's own queue, past the exchange where its
 * siblings listen. Its body is the archived one, with the patch merged into it where there is one.
 *
 * The same letter and options give the same message, for ever: that is what makes resuming safe.
 */
export function replayMessage(letter: FullLetter, options: MessageOptions): ReplayMessage {
  const { originQueue } = letter;
  if (originQueue === "unknown" || originQueue === "") {
    return refusal("nobody has said which queue it failed in, so there is nowhere to send it");
  }
  if (letter.reason === DEADLY && !options.poison) {
    return refusal(
      `its consumer died each time that it was given this message (${DEADLY}): mend the consumer, ` +
        "then add --poison",
    );
  }
  let content: Uint8Array = letter.body;
  let eventId = eventIdOf(letter);
  const oldEventId = eventId;
  if (options.patch !== undefined || options.newId) {
    try {
      const body = mergePatch(parseBody(letter.body), options.patch ?? {});
      // n.b. not the letter's id: two dead letters of one event stay one event.
      if (options.newId) {
        eventId = uuidV5(`${options.operation} ${originQueue} ${eventId}`, NEW_ID_NAMESPACE);
      }
      const edited = options.newId ? { ...body, event_id: eventId } : body;
      content = Buffer.from(JSON.stringify(edited));
      eventId = decode({ content, properties: propertiesOf(letter) }, typesFor(originQueue))
        .event_id;
    } catch (error) {
      if (!(error instanceof InvalidMessageError)) throw error;
      return refusal(`what would be sent is no event: ${messageOf(error)}`);
    }
  }
  const own = propertiesOf(letter);
  const messageId = options.newId ? eventId : letter.messageId;
  const link = options.newId ? { [X_REPLACES_EVENT]: oldEventId } : {};
  const headers = { ...headersForReplay(own.headers ?? {}, options.replayId), ...link };
  const properties = { ...own, messageId: options.newId ? eventId : own.messageId, headers };
  const message = {
    exchange: retryExchange(originQueue),
    routingKey: originQueue,
    content: Buffer.from(content),
  };
  return {
    kind: "message",
    eventId,
    outgoing: { ...message, options: republishOptions(properties, messageId, {}) },
    fallback: {
      ...message,
      options: minimalOptions(properties, messageId, { ...link, [X_RETRIES]: 0 }),
    },
  };
}

/** What is wrong with the body of `letter` as today's contract reads it; nothing where nothing is. */
export function contractProblem(letter: FullLetter): string | undefined {
  const message = { content: letter.body, properties: propertiesOf(letter) };
  try {
    decode(message, typesFor(letter.originQueue));
    return undefined;
  } catch (error) {
    if (error instanceof InvalidMessageError) return messageOf(error);
    throw error;
  }
}

/** The id by which the subscriber's inbox knows the event of `letter`, also where it is no valid one. */
export function eventIdOf(letter: FullLetter): string {
  try {
    const { event_id: id } = parseBody(letter.body);
    return typeof id === "string" && id !== "" ? id : letter.messageId;
  } catch {
    return letter.messageId;
  }
}

/** The events that the subscriber of `queue` reads; of a queue that is not the workshop's, any. */
function typesFor(queue: string): readonly EventType[] {
  const subscription = Object.values(SUBSCRIPTIONS).find((wanted) => wanted.queue === queue);
  if (!subscription) return EVENT_TYPES;
  return EVENT_TYPES.filter((type) => subscription.exchanges.includes(EVENTS[type].exchange));
}

/** The properties of `letter` as amqplib writes them: bytes among its headers are bytes again. */
function propertiesOf({ properties, headers, originalProperties }: FullLetter): MessageProperties {
  const original = originalProperties && {
    [X_ORIGINAL_PROPERTIES]: Buffer.from(originalProperties),
  };
  return { ...JSON.parse(properties), headers: { ...JSON.parse(headers, revived), ...original } };
}

/** n.b. `JSON.stringify()` writes a Buffer as `{"type":"Buffer","data":[…]}`. */
function revived(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { type, data } = value as { type?: unknown; data?: unknown };
  const isBuffer = type === "Buffer" && Array.isArray(data) && Object.keys(value).length === 2 &&
    data.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
  return isBuffer ? Buffer.from(data as number[]) : value;
}

function refusal(reason: string): ReplayMessage {
  return { kind: "refusal", reason };
}
