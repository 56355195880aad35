/**
 * The contract: what a `UsuarioCreado` is on the wire, written strictly and read tolerantly.
 */
import { Buffer } from "node:buffer";
import type { Message, Options } from "amqplib";
import { v5 as uuidV5 } from "uuid";
import { z } from "zod";
import { InvalidMessageError } from "../base/errors.ts";

/** The only event type of this contract, also the AMQP property `type`. */
export const EVENT_TYPE = "UsuarioCreado";
/** The schema version that is written. Adding an optional field does not raise it; changing one does. */
export const SCHEMA_VERSION = 1;
/** A longer body is invalid without being parsed. */
export const MAX_BODY_BYTES = 256 * 1024;
/** The AMQP property `app_id` of what we publish. */
export const APP_ID = "ecomarket-events";

/** A message id is a short string of AMQP: so many bytes, and no more. */
const MAX_MESSAGE_ID_BYTES = 255;

/** The UUIDv5 namespace of ids that are derived from a body. Fixed for ever: changing it loses duplicates. */
const DERIVED_ID_NAMESPACE = "8d7c2b52-5a0e-4b0c-9a3e-6f5d1f0f7c11";

const noControlCharacters = (text: string) => !/\p{Cc}/u.test(text);
const wellFormed = (text: string) => text.isWellFormed();

function shortText(max: number) {
  return z.string()
    .min(1, { error: "must not be empty", abort: true })
    .refine((text) => [...text].length <= max, { error: `must have at most ${max} characters` })
    .refine(noControlCharacters, { error: "must not contain control characters" })
    .refine(wellFormed, { error: "must be well-formed Unicode" });
}

/** What a person fills in: `nombre` is trimmed and has 1 to 200 characters, `email` at most 254. */
export const newUserSchema = z.object({
  nombre: z.string().trim().pipe(shortText(200)),
  email: z.string().trim()
    .min(1, { error: "must not be empty", abort: true })
    .max(254, { error: "must have at most 254 characters", abort: true })
    .pipe(z.email({ error: "must be an email address such as juan@example.com" })),
});

/** A user to be announced. Without a `user_id`, a random UUID is taken. */
export type NewUser = z.infer<typeof newUserSchema> & { user_id?: string | undefined };

/** The id of a user, as written and as read. */
export const userIdSchema = shortText(200);

const usuarioCreadoSchema = z.object({
  event_type: z.literal(EVENT_TYPE, { error: `must be "${EVENT_TYPE}"` }),
  event_id: shortText(255),
  schema_version: z.literal(SCHEMA_VERSION, {
    error: ({ input }) =>
      typeof input === "number"
        ? `must be ${SCHEMA_VERSION}, got ${input}: a newer consumer is needed`
        : `must be ${SCHEMA_VERSION}`,
  }),
  timestamp: z.iso.datetime({ error: "must be an ISO 8601 time in UTC" }),
  user_id: userIdSchema,
  ...newUserSchema.shape,
});

/** One event. `timestamp` is ISO 8601 in UTC. Immutable: it states what has happened. */
export type UsuarioCreado = Readonly<z.infer<typeof usuarioCreadoSchema>>;

/** A decoded message: the event, and what is asked of its handlers besides. */
export interface Decoded {
  readonly event: UsuarioCreado;
  /** The workshop's `"simulate_fail": true`: every subscriber is asked to fail. */
  readonly simulateFail: boolean;
}

/**
 * A new event about `user`, with a random `event_id`, stamped with `now`.
 *
 * @throws {InvalidMessageError} when a field of `user` breaks the contract.
 */
export function createUsuarioCreado(user: NewUser, now: Date = new Date()): UsuarioCreado {
  return validate({
    event_type: EVENT_TYPE,
    event_id: crypto.randomUUID(),
    schema_version: SCHEMA_VERSION,
    timestamp: now.toISOString(),
    user_id: user.user_id ?? crypto.randomUUID(),
    nombre: user.nombre,
    email: user.email,
  });
}

/** An event as AMQP content and properties. */
export interface Encoded {
  readonly content: Buffer;
  readonly options: Options.Publish;
}

/**
 * `event` as bytes and properties: JSON in UTF-8, persistent, `message_id` = `event_id`.
 *
 * @throws {InvalidMessageError} when `event` breaks the contract: the writer is strict.
 */
export function encode(event: UsuarioCreado): Encoded {
  const valid = validate(event);
  return {
    content: Buffer.from(JSON.stringify(valid), "utf8"),
    options: {
      messageId: valid.event_id,
      type: valid.event_type,
      contentType: "application/json",
      deliveryMode: 2,
      // n.b. AMQP timestamps are whole seconds.
      timestamp: Math.floor(Date.parse(valid.timestamp) / 1000),
      appId: APP_ID,
    },
  };
}

/**
 * The event in a message of any shape that the workshop's scripts send. Unknown fields are dropped,
 * older shapes are upcast to version 1: `id` for `user_id` (a number is accepted there), no
 * `event_type` when a name, an email and an id are there, no `timestamp` (`created_at`, the AMQP
 * timestamp, or `receivedAt`), a time without a zone (UTC), no `event_id` (see {@link messageId}).
 *
 * @throws {InvalidMessageError} for anything else, with the reason.
 */
export function decode(
  message: Pick<Message, "content" | "properties">,
  receivedAt: Date = new Date(),
): Decoded {
  const body = parseBody(message.content);
  const user_id = body.user_id ?? legacyId(body.id);
  const event = validate({
    event_type: body.event_type ?? impliedType(body, user_id, message.properties.type),
    event_id: body.event_id ?? messageId(message),
    schema_version: body.schema_version ?? SCHEMA_VERSION,
    timestamp: utcTimestamp(body.timestamp ?? body.created_at) ??
      amqpTimestamp(message.properties.timestamp) ?? receivedAt.toISOString(),
    user_id,
    nombre: body.nombre,
    email: body.email,
  });
  return { event, simulateFail: body.simulate_fail === true };
}

/**
 * The id of a message whose body names none: its `message_id`, else a UUIDv5 of its body, so that a
 * redelivery of the same message is recognised. It can always be written as a `message_id`.
 *
 * n.b. a `message_id` whose bytes are not UTF-8 has grown when we see it: each of them was read as
 * U+FFFD, which takes three bytes. Where it has grown too long, its UUIDv5 with the body is the id.
 */
export function messageId(message: Pick<Message, "content" | "properties">): string {
  const id: unknown = message.properties.messageId;
  if (typeof id !== "string" || id === "") return uuidV5(message.content, DERIVED_ID_NAMESPACE);
  if (Buffer.byteLength(id) <= MAX_MESSAGE_ID_BYTES) return id;
  return uuidV5(Buffer.concat([Buffer.from(id), message.content]), DERIVED_ID_NAMESPACE);
}

function validate(candidate: unknown): UsuarioCreado {
  const parsed = usuarioCreadoSchema.safeParse(candidate, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new InvalidMessageError(describeIssues(parsed.error));
}

/**
 * The problems of a failed parse in one line, such as `email must not be empty; nombre is missing`.
 * n.b. parse with `reportInput`, or what is missing and what has a wrong type read alike.
 */
export function describeIssues(error: z.ZodError): string {
  return fieldIssues(error).map(({ field, reason }) => `${field} ${reason}`.trim()).join("; ");
}

/** What is wrong with one field, in words that follow its name, such as `is missing`. */
export interface FieldIssue {
  readonly field: string;
  readonly reason: string;
}

/** The problems of a failed parse, each with its field. The same n.b. as for {@link describeIssues}. */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
  return error.issues.map((issue) => ({
    field: issue.path.join("."),
    reason: issue.code === "invalid_type"
      ? issue.input === undefined ? "is missing" : `must be a ${issue.expected}`
      : issue.message,
  }));
}

/**
 * The JSON object that these bytes are.
 *
 * @throws {InvalidMessageError} when they are anything else, or more than {@link MAX_BODY_BYTES}.
 */
export function parseBody(content: Uint8Array): Record<string, unknown> {
  if (content.length > MAX_BODY_BYTES) {
    throw new InvalidMessageError(
      `the body has ${content.length} bytes, more than ${MAX_BODY_BYTES}`,
    );
  }
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    const problem = error instanceof SyntaxError ? "JSON" : "UTF-8";
    throw new InvalidMessageError(`the body is not valid ${problem}`, { cause: error });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new InvalidMessageError("the body is not a JSON object");
  }
  return body as Record<string, unknown>;
}

function legacyId(id: unknown): unknown {
  return Number.isSafeInteger(id) ? String(id) : id;
}

function impliedType(body: Record<string, unknown>, userId: unknown, amqpType: unknown): unknown {
  if (typeof amqpType === "string" && amqpType !== "") return amqpType;
  const isUser = body.nombre !== undefined && body.email !== undefined && userId !== undefined;
  return isUser ? EVENT_TYPE : undefined;
}

const localTimeSchema = z.iso.datetime({ local: true, offset: true });

/** `value` as ISO 8601 in UTC; a text that is no time is left as it is, for the schema to refuse. */
function utcTimestamp(value: unknown): unknown {
  if (typeof value !== "string") return value ?? undefined;
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
