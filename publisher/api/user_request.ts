/** What a `POST /users` asks for, judged by the event's contract. */
import { InvalidMessageError } from "@ecomarket/shared/base/errors";
import { type FieldIssue, fieldIssues } from "@ecomarket/shared/contract/issues";
import { parseBody } from "@ecomarket/shared/contract/message";
import { type NewUser, newUserSchema } from "@ecomarket/shared/contract/usuario_creado";

/** A user to register, or what is wrong with the request. */
export type UserRequest =
  | { readonly user: NewUser }
  | { readonly detail: string; readonly errors: readonly FieldIssue[] };

/**
 * The user in a body of JSON: `nombre` (or `name`) and `email`. Unknown fields are ignored: who a
 * user is, is decided here, not by the client.
 */
export function userRequest(content: Uint8Array): UserRequest {
  let body: Record<string, unknown>;
  try {
    body = parseBody(content);
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    return { detail: `${EXPECTED}: ${error.message}`, errors: [] };
  }
  const { nombre, name, email } = body;
  const parsed = newUserSchema.safeParse({ nombre: nombre ?? name, email }, { reportInput: true });
  const errors = parsed.success ? [] : fieldIssues(parsed.error);
  if (areDifferent(nombre, name)) {
    errors.push({ field: "name", reason: "must be the same as nombre, or be left out" });
  }
  return parsed.success && errors.length === 0
    ? { user: parsed.data }
    : { detail: `${EXPECTED}: see errors`, errors };
}

const EXPECTED = 'A body like {"nombre":"Juan","email":"juan@example.com"} is expected';

function areDifferent(nombre: unknown, name: unknown): boolean {
  return (nombre ?? name) !== (name ?? nombre);
}
