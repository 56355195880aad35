/** Events for whoever needs some. */
import type { Envelope } from "@ecomarket/shared/contract/event";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";

/** `count` signups with realistic names. */
export function signups(count: number): UsuarioCreado[] {
  return Array.from({ length: count }, (_, n) =>
    createUsuarioCreado({
      user_id: `u-${n}`,
      nombre: `María José Ñáñez ${n}`,
      email: `mariajose${n}@example.com`,
    }));
}

/** The ids of `events`. */
export function idsOf(events: readonly Pick<Envelope, "event_id">[]): string[] {
  return events.map(({ event_id }) => event_id);
}
