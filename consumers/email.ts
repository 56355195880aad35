/** Sends every new user a welcome email: simulated, or over SMTP where `SMTP_URL` is set. */
import { smtpUrl } from "@ecomarket/shared/process/config";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { type EventConsumer, eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";
import { type Mailer, simulatedMailer, welcomeEmail } from "./mailer.ts";

/**
 * The email subscriber, sending through `mailer`. The row in `sent_emails` is exactly once; the
 * sending itself is at least once, for no transaction spans a mail server: the Message-ID, derived
 * from the event's id, lets the receiving side recognise a second copy.
 */
export function emailConsumer(mailer: Mailer): EventConsumer {
  return eventConsumer({
    name: "email",
    queue: SUBSCRIBER_QUEUES.email,
    migrations: [
      // n.b. event_id is not unique: were an effect ever done twice, the table must be able to show it.
      {
        sqlite: `CREATE TABLE sent_emails (
          id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, message_id TEXT NOT NULL,
          recipient TEXT NOT NULL, subject TEXT NOT NULL, transport TEXT NOT NULL, sent_at TEXT NOT NULL
        ) STRICT`,
        postgres: `CREATE TABLE sent_emails (
          id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id TEXT NOT NULL,
          message_id TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL,
          transport TEXT NOT NULL, sent_at TEXT NOT NULL
        )`,
      },
    ],
    dependency: mailer.server,
    on: {
      async UsuarioCreado(event, { signal, log }) {
        const message = welcomeEmail(event);
        await mailer.send(message, signal);
        log.info("Welcome email to {nombre} <{email}> ({transport})", {
          nombre: event.nombre,
          email: event.email,
          transport: mailer.transport,
        });
        return [{
          sql:
            `INSERT INTO sent_emails (event_id, message_id, recipient, subject, transport, sent_at)
                VALUES (?, ?, ?, ?, ?, ?)`,
          params: [
            event.event_id,
            message.messageId,
            message.to.address,
            message.subject,
            mailer.transport,
            new Date().toISOString(),
          ],
        }];
      },
    },
  });
}

/**
 * The mailer that `SMTP_URL` asks for, or the simulated one.
 *
 * @throws {ConfigError} when it is no `smtp:` or `smtps:` URL.
 */
export async function mailerFromEnvironment(): Promise<Mailer> {
  const url = smtpUrl();
  if (!url) return simulatedMailer;
  // n.b. loaded only where it is used: a consumer that was killed is back sooner without it.
  const { smtpMailer } = await import("./smtp_mailer.ts");
  return smtpMailer(url);
}

if (import.meta.main) await runConsumer(async () => emailConsumer(await mailerFromEnvironment()));
