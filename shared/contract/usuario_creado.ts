/** Somebody has signed up. */
import { z } from "zod";
import { defineEvent, type Envelope, type EventDefinition } from "./event.ts";
import { shortText, userIdSchema } from "./fields.ts";

/** What a person fills in: `nombre` is trimmed and has 1 to 200 characters, `email` at most 254. */
export const newUserSchema: z.ZodObject<Record<"nombre" | "email", z.ZodType<string>>> = z.object({
  nombre: z.string().trim().pipe(shortText(200)),
  email: z.string().trim()
    .min(1, { error: "must not be empty", abort: true })
    .max(254, { error: "must have at most 254 characters", abort: true })
    .pipe(z.email({ error: "must be an email address such as juan@example.com" })),
});

/** A user to be announced. */
export interface NewUser {
  /** 1 to 200 characters, trimmed. */
  readonly nombre: string;
  /** At most 254 characters. */
  readonly email: string;
  /**
   * Its id.
   *
   * @default a random UUID
   */
  readonly user_id?: string | undefined;
}

/** Somebody has signed up. */
export interface UsuarioCreado extends Envelope<"UsuarioCreado"> {
  /** 1 to 200 characters. */
  readonly user_id: string;
  /** 1 to 200 characters. */
  readonly nombre: string;
  /** At most 254 characters. */
  readonly email: string;
}

/**
 * The event of the workshop. Every shape that its Python scripts send is understood: `id` for
 * `user_id` (a number is accepted there), `created_at` for `timestamp`, and no `event_type` where a
 * name, an email and an id are there.
 */
export const UsuarioCreado: EventDefinition<UsuarioCreado> = defineEvent({
  type: "UsuarioCreado",
  version: 1,
  exchange: "user_events",
  schema: z.object({ user_id: userIdSchema, ...newUserSchema.shape }),
  legacy: (body) => ({
    ...body,
    user_id: body.user_id ?? textId(body.id),
    timestamp: body.timestamp ?? body.created_at,
  }),
  isImplied: ({ nombre, email, user_id }) =>
    nombre !== undefined && email !== undefined && user_id !== undefined,
});

/**
 * A new event about `user`, with a random `event_id`, stamped with `now`.
 *
 * @throws {InvalidMessageError} when a field of `user` breaks the contract.
 */
export function createUsuarioCreado(user: NewUser, now: Date = new Date()): UsuarioCreado {
  const { nombre, email, user_id = crypto.randomUUID() } = user;
  return UsuarioCreado.create({ user_id, nombre, email }, now);
}

function textId(id: unknown): unknown {
  return Number.isSafeInteger(id) ? String(id) : id;
}
