/** What every message has, whichever event is in it: a body, an id, a time. */
import { Buffer } from "node:buffer";
import { v5 as uuidV5 } from "uuid";
import { z } from "zod";
import { InvalidMessageError } from "../base/errors.ts";
import { JsonDepthError, parseJson } from "../base/json.ts";

/** A message as it came, as far as an event is in it: nothing in it is to be trusted. */
export interface RawMessage {
  /** The body. */
  readonly content: Uint8Array;
  /** The AMQP properties, by amqplib's names. */
  readonly properties: RawProperties;
}

/** See {@link RawMessage}. */
export interface RawProperties {
  /** `message_id` */
  readonly messageId?: unknown;
  /** `type` */
  readonly type?: unknown;
  /** `timestamp`, in seconds. */
  readonly timestamp?: unknown;
  /** `headers` */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

/** A JSON object whose fields nobody has looked at. */
export type Body = Readonly<Record<string, unknown>>;

/** A longer body is invalid without being parsed. */
export const MAX_BODY_BYTES = 256 * 1024;

/** A message id is a short string of AMQP: so many bytes, and no more. */
const MAX_MESSAGE_ID_BYTES = 255;

/** The UUIDv5 namespace of ids that are derived from a body. Fixed for ever: changing it loses duplicates. */
const DERIVED_ID_NAMESPACE = "8d7c2b52-5a0e-4b0c-9a3e-6f5d1f0f7c11";

/**
 * The id of a message whose body names none: its `message_id`, else a UUIDv5 of its body, so that a
 * redelivery of the same message is recognised. It can always be written as a `message_id`.
 *
 * n.b. a `message_id` whose bytes are not UTF-8 has grown when we see it: each of them was read as
 * U+FFFD, which takes three bytes. Where it has grown too long, its UUIDv5 with the body is the id.
 */
export function messageId(message: RawMessage): string {
  const id: unknown = message.properties.messageId;
  if (typeof id !== "string" || id === "") return uuidV5(message.content, DERIVED_ID_NAMESPACE);
  if (Buffer.byteLength(id) <= MAX_MESSAGE_ID_BYTES) return id;
  return uuidV5(Buffer.concat([Buffer.from(id), message.content]), DERIVED_ID_NAMESPACE);
}

/**
 * The JSON object that these bytes are.
 *
 * @throws {InvalidMessageError} when they are anything else, more than {@link MAX_BODY_BYTES}, or
 *   nested more deeply than `MAX_JSON_DEPTH` of `shared/base/json.ts`.
 */
export function parseBody(content: Uint8Array): Body {
  if (content.length > MAX_BODY_BYTES) {
    throw new InvalidMessageError(
      `the body has ${content.length} bytes, more than ${MAX_BODY_BYTES}`,
    );
  }
  let body: unknown;
  try {
    body = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    if (error instanceof JsonDepthError) throw new InvalidMessageError(`the body ${error.message}`);
    const problem = error instanceof SyntaxError ? "JSON" : "UTF-8";
    throw new InvalidMessageError(`the body is not valid ${problem}`, { cause: error });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new InvalidMessageError("the body is not a JSON object");
  }
  return body as Body;
}

/**
 * When what `body` tells has happened, in ISO 8601 and UTC: its `timestamp`, else the message's, else
 * `receivedAt`. A time without a zone is UTC. A text that is no time is left as it is, to be refused.
 */
export function timeOf(body: Body, { properties }: RawMessage, receivedAt: Date): unknown {
  return utcTimestamp(body.timestamp) ?? amqpTimestamp(properties.timestamp) ??
    receivedAt.toISOString();
}

const localTimeSchema = z.iso.datetime({ local: true, offset: true });

/** As `Date.toISOString()` writes it, which is how our own publishers do: there is nothing to bring to it. */
const AS_WRITTEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** `value` as ISO 8601 in UTC; a text that is no time is left as it is, for the schema to refuse. */
function utcTimestamp(value: unknown): unknown {
  if (typeof value !== "string") return value ?? undefined;
  if (AS_WRITTEN.test(value)) return value;
  const iso = value.trim()
    .replace(/^(\d{4}-\d\d-\d\d)$/, "$1T00:00:00")
    .replace(/^(\d{4}-\d\d-\d\d) /, "$1T")
    .replace(/(T.*[+-]\d\d)$/, "$1:00")
    .replace(/(T.*[+-]\d\d)(\d\d)$/, "$1:$2");
  if (!localTimeSchema.safeParse(iso).success) return value;
  const hasZone = /(?:Z|[+-]\d\d:\d\d)$/.test(iso);
  return new Date(hasZone ? iso : `${iso}Z`).toISOString();
}

function amqpTimestamp(seconds: unknown): string | undefined {
  if (typeof seconds !== "number") return undefined;
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() > 9999
    ? undefined
    : time.toISOString();
}
