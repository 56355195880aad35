/** What can be said of a message that passes, whatever it is: nothing in it is to be trusted. */
import type { ConsumeMessage } from "amqplib";
import {
  type Body,
  messageId,
  parseBody,
  type RawMessage,
} from "@ecomarket/shared/contract/message";
import type { SeenEvent } from "../ledger/observation.ts";

/** Characters of a body that are kept for a person to read. */
const BODY_SHOWN = 4_000;
/** Characters of a name. */
const LABEL_SHOWN = 80;

/** Characters of headers, in JSON, that are kept. */
const HEADERS_SHOWN = 4_000;
/** A longer id is none that a subscriber would take. */
const MAX_ID = 255;

/** The event in `message`. A message that is none is one all the same: somebody has to give it up. */
export function seenEvent({ content, properties, fields }: ConsumeMessage): SeenEvent {
  const raw: RawMessage = { content, properties };
  const body = parsed(content);
  const ofMessage = messageId(raw);
  const id = idOf(body?.event_id) ?? ofMessage;
  return {
    id,
    alias: id === ofMessage ? undefined : ofMessage,
    type: textOf(body?.event_type) ?? textOf(properties.type) ?? "?",
    label: textOf(body?.nombre) ?? textOf(body?.user_id) ?? "",
    exchange: fields.exchange,
    headers: shownHeaders(properties.headers),
    body: new TextDecoder().decode(content.subarray(0, BODY_SHOWN)),
  };
}

function idOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_ID ? value : undefined;
}

/** n.b. headers that are nested deeply cannot be written as JSON: nobody reads them here. */
function shownHeaders(headers: SeenEvent["headers"]): SeenEvent["headers"] {
  try {
    const { length } = JSON.stringify(headers ?? {});
    return length <= HEADERS_SHOWN ? headers : { "…": `${length} characters` };
  } catch {
    return { "…": "nested too deeply" };
  }
}

function parsed(content: Uint8Array): Body | undefined {
  try {
    return parseBody(content);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, LABEL_SHOWN) : undefined;
}
