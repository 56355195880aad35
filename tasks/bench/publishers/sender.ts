/** What every publisher of the bench is to its load: something that takes an event and confirms it. */
import type { EncodedProperties } from "@ecomarket/shared/contract/event";
import { bucketHeaders } from "@ecomarket/shared/contract/user_bucket";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";

/** A connected publisher. */
export interface Sender extends AsyncDisposable {
  /** Publishes `event` persistent and mandatory. Resolves once it is confirmed, and rejects otherwise. */
  send(event: UsuarioCreado): Promise<void>;
}

/** How a sender is made. */
export interface SenderOptions {
  readonly amqpUrl: string;
  /** So many are under way at once, at most. */
  readonly window: number;
}

/** Connects. */
export type OpenSender = (options: SenderOptions) => Promise<Sender>;

/** Sends what `next` gives, `window` at once, until it gives nothing more. Returns how many were confirmed. */
export async function sendAll(
  sender: Sender,
  next: () => UsuarioCreado | undefined,
  window: number,
): Promise<number> {
  let confirmed = 0;
  const worker = async () => {
    for (let event = next(); event; event = next()) {
      await sender.send(event);
      confirmed++;
    }
  };
  await Promise.all(Array.from({ length: window }, worker));
  return confirmed;
}

/** `event` as the peers send it: the same bytes and properties as ours, without a look at it. */
export function propertiesOf(event: UsuarioCreado): Omit<EncodedProperties, "deliveryMode"> {
  return {
    messageId: event.event_id,
    type: event.event_type,
    contentType: "application/json",
    timestamp: Math.floor(Date.parse(event.timestamp) / 1000),
    appId: "bench",
    headers: bucketHeaders(event),
  };
}
