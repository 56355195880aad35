/** Publishes what the buttons ask for, as `deno task publish --count N` does, and tells of each event. */
import type { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { generateRows } from "@ecomarket/publisher/publish/generated";
import { usuarioCreadoForm } from "@ecomarket/publisher/publish/usuario_creado_form";
import { X_SIMULATE_FAILURES } from "@ecomarket/shared/contract/headers";
import {
  createUsuarioCreado,
  type NewUser,
  UsuarioCreado,
} from "@ecomarket/shared/contract/usuario_creado";
import type { Observation, SeenEvent } from "../ledger/observation.ts";

/** How often each outcome came. */
export type PublishCounts = Readonly<Record<"confirmed" | "failed", number>>;

/** Publishes `count` invented signups through `publisher`, each of which asks for `fail`. */
export async function publishSignups(
  publisher: RobustPublisher,
  observation: Observation,
  { count, fail }: { readonly count: number; readonly fail?: string },
): Promise<PublishCounts> {
  const headers = fail === undefined ? undefined : { [X_SIMULATE_FAILURES]: fail };
  const under: Promise<boolean>[] = [];
  for await (const { fields } of generateRows({ invent: usuarioCreadoForm.invent!, count })) {
    const event = createUsuarioCreado(fields as unknown as NewUser);
    const seen: SeenEvent = {
      id: event.event_id,
      type: event.event_type,
      label: event.nombre,
      exchange: UsuarioCreado.exchange,
      headers,
      body: JSON.stringify(event),
    };
    observation.sending(seen);
    under.push(
      publisher.publish(event, headers ? { headers } : {}).then((outcome) => {
        const isConfirmed = outcome.status === "confirmed";
        if (isConfirmed) observation.confirmed(seen);
        else observation.notConfirmed(seen.id, "error" in outcome ? outcome.error.message : "");
        return isConfirmed;
      }),
    );
  }
  const results = await Promise.all(under);
  const confirmed = results.filter(Boolean).length;
  return { confirmed, failed: results.length - confirmed };
}
