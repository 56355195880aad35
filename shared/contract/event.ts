/**
 * What an event is, whichever it is: written strictly, read tolerantly. One file an event defines the
 * rest: see `usuario_creado.ts`, and `catalogue.ts`, where each has its line.
 */
import { Buffer } from "node:buffer";
import { v7 as uuidV7 } from "uuid";
import { z } from "zod";
import { InvalidMessageError, NewerEventError } from "../base/errors.ts";
import { shortText } from "./fields.ts";
import { describeIssues } from "./issues.ts";
import { type Body, messageId, parseBody, type RawMessage, timeOf } from "./message.ts";
import { bucketHeaders } from "./user_bucket.ts";

/** The AMQP property `app_id` of what we publish. */
export const APP_ID = "ecomarket-events";

/** What every event says, before what it tells. */
export interface Envelope<Type extends string = string> {
  /** Its name. */
  readonly event_type: Type;
  /** By which a second delivery is recognised. */
  readonly event_id: string;
  /** The version of its contract. */
  readonly schema_version: number;
  /** ISO 8601 in UTC. */
  readonly timestamp: string;
}

/** What the event `E` tells besides its {@link Envelope}. */
export type FieldsOf<E extends Envelope> = Omit<E, keyof Envelope>;

/** The event that `Definition` defines. */
export type EventOf<Definition> = Definition extends EventDefinition<infer E> ? E : never;

/** What the author of an event says of it. */
export interface EventSpec<Type extends string, Fields extends z.ZodRawShape> {
  /** Its name on the wire, also the AMQP property `type`. A fact in the past tense. */
  readonly type: Type;
  /** The version that is written. Adding an optional field does not raise it; any other change does. */
  readonly version: number;
  /** The fanout exchange that is this event's alone. */
  readonly exchange: string;
  /** What it tells besides its {@link Envelope}. */
  readonly schema: z.ZodObject<Fields>;
  /** For each older version, its body as the next one writes it. Must answer for any body. */
  readonly upcasts?: Readonly<Record<number, (body: Body) => Body>>;
  /** The body as version 1 names its fields, from shapes that are older than the contract. */
  readonly legacy?: (body: Body) => Body;
  /** Whether a body that names no type is this event all the same. @default never */
  readonly isImplied?: (body: Body) => boolean;
}

/** An event as AMQP content and properties. */
export interface Encoded {
  /** JSON in UTF-8. */
  readonly content: Buffer;
  /** By amqplib's names. */
  readonly options: EncodedProperties;
}

/** The properties that every event is published with. */
export interface EncodedProperties {
  /** The event's id. */
  readonly messageId: string;
  /** The event's name. */
  readonly type: string;
  /** `application/json` */
  readonly contentType: string;
  /** 2: persistent. */
  readonly deliveryMode: number;
  /** In seconds: AMQP knows no smaller unit. */
  readonly timestamp: number;
  /** {@link APP_ID} */
  readonly appId: string;
  /** Of an event about a user: the bucket of that user. See `user_bucket.ts`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An event that can be made, written and read. Immutable: it states what has happened. */
export interface EventDefinition<E extends Envelope = Envelope> {
  /** Its name on the wire. */
  readonly type: E["event_type"];
  /** The version that is written. */
  readonly version: number;
  /** The exchange that is this event's alone. */
  readonly exchange: string;
  /**
   * A new event with an `event_id` of its own (a UUIDv7), stamped with `now`. It is frozen.
   *
   * @throws {InvalidMessageError} when a field breaks the contract.
   */
  create(fields: FieldsOf<E>, now?: Date): E;
  /**
   * `event` as bytes and properties: JSON in UTF-8, persistent, `message_id` = `event_id`. What is no
   * part of the contract is dropped.
   *
   * @throws {InvalidMessageError} when `event` breaks the contract: nothing invalid is ever sent.
   */
  encode(event: Envelope): Encoded;
  /**
   * The event in a message. Unknown fields are dropped, older versions are brought up to today's, a
   * time without a zone is UTC; without an `event_id`, see {@link messageId}.
   *
   * @throws {NewerEventError} when a newer version than ours wrote it.
   * @throws {InvalidMessageError} for anything else that is not this event, with the reason.
   */
  decode(message: RawMessage, receivedAt?: Date): E;
  /** As {@link decode}, of a body that is parsed already. */
  read(body: Body, message: RawMessage, receivedAt?: Date): E;
  /** Whether `body`, with the AMQP type `amqpType`, says that it is this event. */
  claims(body: Body, amqpType: unknown): boolean;
}

/** Defines an event. Its type, writing, reading and version errors follow from `spec`. */
export function defineEvent<const Type extends string, Fields extends z.ZodRawShape>(
  spec: EventSpec<Type, Fields>,
): EventDefinition<Envelope<Type> & Readonly<z.infer<z.ZodObject<Fields>>>> {
  type E = Envelope<Type> & Readonly<z.infer<z.ZodObject<Fields>>>;
  const { type, version, exchange, upcasts = {}, legacy = (body) => body } = spec;
  const schema = z.object({
    event_type: z.literal(type, { error: `must be "${type}"` }),
    event_id: shortText(255),
    schema_version: z.literal(version, { error: `must be ${version}` }),
    timestamp: z.iso.datetime({ error: "must be an ISO 8601 time in UTC" }),
    ...spec.schema.shape,
  });

  /** What {@link EventDefinition.create} has made: valid, and it cannot be changed any more. */
  const created = new WeakSet<Envelope>();

  const validate = (candidate: unknown): E => {
    const parsed = schema.safeParse(candidate, { reportInput: true });
    if (!parsed.success) throw new InvalidMessageError(describeIssues(parsed.error));
    return parsed.data as E;
  };

  /** `body` as today's version writes it. One that names no version is of the first. */
  const broughtUp = (body: Body): Body => {
    let current = body;
    let at: unknown = current.schema_version ?? 1;
    if (Number.isSafeInteger(at) && Number(at) > version) {
      throw new NewerEventError(
        `schema_version must be ${version}, got ${at}: a newer consumer is needed`,
      );
    }
    for (let upcast; typeof at === "number" && (upcast = upcasts[at]); at++) {
      current = upcast(current);
    }
    return { ...current, schema_version: at };
  };

  const typeOf = (body: Body, amqpType: unknown): unknown => {
    if (body.event_type !== undefined && body.event_type !== null) return body.event_type;
    if (typeof amqpType === "string" && amqpType !== "") return amqpType;
    return spec.isImplied?.(legacy(body)) ? type : undefined;
  };

  const definition: EventDefinition<E> = {
    type: type as string as E["event_type"],
    version,
    exchange,
    create(fields, now = new Date()) {
      const event = deepFreeze(validate({
        event_type: type,
        // n.b. ordered by time: in an inbox of a million, what is committed together lies together.
        event_id: uuidV7(),
        schema_version: version,
        timestamp: now.toISOString(),
        ...fields,
      }));
      created.add(event);
      return event;
    },
    encode(event) {
      const valid = created.has(event) ? event : validate(event);
      return {
        content: Buffer.from(JSON.stringify(valid), "utf8"),
        options: {
          messageId: valid.event_id,
          type,
          contentType: "application/json",
          deliveryMode: 2,
          timestamp: Math.floor(Date.parse(valid.timestamp) / 1000),
          appId: APP_ID,
          headers: bucketHeaders(valid),
        },
      };
    },
    decode: (message, receivedAt) =>
      definition.read(parseBody(message.content), message, receivedAt),
    read(body, message, receivedAt = new Date()) {
      const event_type = typeOf(body, message.properties.type);
      const known = legacy(body);
      // n.b. another event's version says nothing here: it is refused for its type.
      const isOther = event_type !== undefined && event_type !== type;
      const current = isOther ? { ...known, schema_version: version } : broughtUp(known);
      return validate({
        ...current,
        event_type,
        event_id: body.event_id ?? messageId(message),
        timestamp: timeOf(current, message, receivedAt),
      });
    },
    claims: (body, amqpType) => typeOf(body, amqpType) === type,
  };
  return definition;
}

/** `value`, which is JSON, as nobody can change it any more. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
