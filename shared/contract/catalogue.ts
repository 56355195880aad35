/** Every event that there is, by its type. A new one is a file beside this, and two lines here. */
import { InvalidMessageError } from "../base/errors.ts";
import { CompraRealizada } from "./compra_realizada.ts";
import type { Encoded, Envelope, EventDefinition } from "./event.ts";
import { parseBody, type RawMessage } from "./message.ts";
import { UsuarioCreado } from "./usuario_creado.ts";

/** Every event, by its name on the wire. */
export interface EventsByType {
  /** Somebody has signed up. */
  readonly UsuarioCreado: UsuarioCreado;
  /** Somebody has bought something. */
  readonly CompraRealizada: CompraRealizada;
}

/** The name of an event. */
export type EventType = keyof EventsByType;
/** Any event. */
export type AnyEvent = EventsByType[EventType];

/** The catalogue: from here follow the exchanges, and how each event is written and read. */
export const EVENTS: { readonly [T in EventType]: EventDefinition<EventsByType[T]> } = {
  UsuarioCreado,
  CompraRealizada,
};

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
): EventsByType[T] {
  const body = parseBody(message.content);
  const [only, ...others] = types;
  const type = others.length === 0
    ? only
    : types.find((name) => EVENTS[name].claims(body, message.properties.type));
  if (type === undefined) throw new InvalidMessageError(notOneOf(types));
  return EVENTS[type].read(body, message, receivedAt) as EventsByType[T];
}

function notOneOf(types: readonly EventType[]): string {
  return `event_type must be ${types.map((type) => `"${type}"`).join(" or ")}`;
}
