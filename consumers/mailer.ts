/** How a welcome email is written, and what sends it. */
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { Dependency } from "@ecomarket/shared/subscriber";

/** An email, ready to be sent. */
export interface Email {
  /** In angle brackets, as RFC 5322 writes it. The same event has the same one for ever. */
  readonly messageId: string;
  readonly from: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
}

/** Sends emails. */
export interface Mailer {
  readonly transport: "simulated" | "smtp";
  /**
   * Resolves once the mail server has taken the email.
   *
   * @throws {PermanentError} when the server will never take it (5xx to this email); else an error
   *   that is worth another try.
   */
  send(email: Email, signal: AbortSignal): Promise<void>;
  /** What it cannot send without, if there is anything. */
  readonly server?: Dependency;
}

const FROM = "EcoMarket <bienvenida@ecomarket.example>";

/** The welcome to the user whom `event` announces. */
export function welcomeEmail(event: UsuarioCreado): Email {
  return {
    // An event id from elsewhere may hold what a Message-ID may not.
    messageId: `<${encodeURIComponent(event.event_id)}@ecomarket.example>`,
    from: FROM,
    to: { name: event.nombre, address: event.email },
    subject: `¡Te damos la bienvenida a EcoMarket, ${event.nombre}!`,
    text: `Hola, ${event.nombre}:\n\nTu cuenta ya está lista. ¡Gracias por sumarte a EcoMarket!\n`,
  };
}

/** Sends nothing: the log line and the row in `sent_emails` are all there is to see. */
export const simulatedMailer: Mailer = {
  transport: "simulated",
  send: () => Promise.resolve(),
};
