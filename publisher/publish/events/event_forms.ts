/** How each event is given to `deno task publish`. */
import type { EventType } from "@ecomarket/shared/contract/catalogue";
import { compraRealizadaForm } from "./compra_realizada.ts";
import type { EventForm } from "./event_form.ts";
import { usuarioCreadoForm } from "./usuario_creado.ts";

/** The events that have a form of their own. */
export const EVENT_FORMS: { readonly [T in EventType]?: EventForm } = {
  UsuarioCreado: usuarioCreadoForm,
  CompraRealizada: compraRealizadaForm,
};

/**
 * The form of an event that has none of its own: its rows name their fields as the contract does. Each
 * makes a new event, whatever event it is a copy of.
 */
export const ROWS_ONLY: EventForm = {
  noun: "event",
  idField: "event_id",
  flags: {},
  usage: { calls: "", options: "" },
  columns: [],
  toFields: ({ event_type: _t, event_id: _i, schema_version: _v, timestamp: _at, ...row }) => row,
};

/** The form of `type`. */
export function formOf(type: EventType): EventForm {
  return EVENT_FORMS[type] ?? ROWS_ONLY;
}
