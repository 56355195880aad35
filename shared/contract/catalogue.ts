/** Every event that there is, by its type. A new one is a file beside this, and a line here. */
import { InvalidMessageError } from "../base/errors.ts";
import { CompraRealizada } from "./compra_realizada.ts";
import type { Encoded, Envelope, EventDefinition, EventOf } from "./event.ts";
import { parseBody, type RawMessage } from "./message.ts";
import { UsuarioCreado } from "./usuario_creado.ts";

/** The catalogue: from here follow the types, the exchanges, and what a handler is given. */
export const EVENTS = { UsuarioCreado, CompraRealizada } as const;

/** The type of an event. */
export type EventType = keyof typeof EVENTS;
/** The event of the type `T`. */
export type EventNamed<T extends EventType> = EventOf<(typeof EVENTS)[T]>;
/** Any event. */
export type AnyEvent = { readonly [T in EventType]: EventNamed<T> }[EventType];

/** All types, in the catalogue's order. */
export const EVENT_TYPES = Object.keys(EVENTS) as readonly EventType[];

/** What defines `event`. @throws {InvalidMessageError} when it is no event of the catalogue. */
export function definitionOf(event: Envelope): EventDefinition {
  const definition = Object.hasOwn(EVENTS, event.event_type)
    ? EVENTS[event.event_type as EventType]
    : undefined;
  if (definition) return definition as unknown as EventDefinition;
  throw new InvalidMessageError(notOneOf(EVENT_TYPES));
}

/** `event` as bytes and properties. See {@link EventDefinition.encode}. */
export function encode(event: AnyEvent): Encoded {
  return definitionOf(event).encode(event);
}

/**
 * The event in a message, which must be of one of `types`. See {@link EventDefinition.decode}.
 *
 * @throws {InvalidMessageError} for anything else, with the reason.
 */
export function decode<T extends EventType>(
  message: RawMessage,
  types: readonly T[],
  receivedAt: Date = new Date(),
): EventNamed<T> {
  const body = parseBody(message.content);
  const [only, ...others] = types;
  const type = others.length === 0
    ? only
    : types.find((name) => EVENTS[name].claims(body, message.properties.type));
  if (type === undefined) throw new InvalidMessageError(notOneOf(types));
  return EVENTS[type].read(body, message, receivedAt) as EventNamed<T>;
}

function notOneOf(types: readonly EventType[]): string {
  return `event_type must be ${types.map((type) => `"${type}"`).join(" or ")}`;
}
