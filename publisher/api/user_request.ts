/** What a `POST /users` asks for, judged by the event's contract. */
import { fieldIssues } from "@ecomarket/shared/contract/issues";
import { type NewUser, newUserSchema } from "@ecomarket/shared/contract/usuario_creado";
import { objectIn, refused, type RefusedRequest } from "./request_body.ts";

/** A user to register, or what is wrong with the request. */
export type UserRequest = { readonly user: NewUser } | RefusedRequest;

/**
 * The user in a body of JSON: `nombre` (or `name`) and `email`. Unknown fields are ignored: who a
 * user is, is decided here, not by the client.
 */
export function userRequest(content: Uint8Array): UserRequest {
  const object = objectIn(content, EXAMPLE);
  if (!("body" in object)) return object;
  const { nombre, name, email } = object.body;
  const parsed = newUserSchema.safeParse({ nombre: nombre ?? name, email }, { reportInput: true });
  const errors = parsed.success ? [] : fieldIssues(parsed.error);
  if (areDifferent(nombre, name)) {
    errors.push({ field: "name", reason: "must be the same as nombre, or be left out" });
  }
  return parsed.success && errors.length === 0 ? { user: parsed.data } : refused(EXAMPLE, errors);
}

const EXAMPLE = '{"nombre":"Juan","email":"juan@example.com"}';

function areDifferent(nombre: unknown, name: unknown): boolean {
  return (nombre ?? name) !== (name ?? nombre);
}
