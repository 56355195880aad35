/** Sends emails over SMTP. */
import { createTransport } from "nodemailer";
import { messageOf, PermanentError } from "@ecomarket/shared/base/errors";
import type { Mailer } from "./mailer.ts";

/** Sends through the SMTP server at `url`, such as `smtp://user:password@127.0.0.1:2525`. */
export function smtpMailer(url: string): Mailer {
  const { host, hostname, port, protocol, username, password } = new URL(url);
  const secure = protocol === "smtps:";
  const transport = createTransport({
    host: hostname,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    ...(username
      ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }
      : {}),
    // The name in EHLO. Without it nodemailer asks the system, which the sandbox does not allow.
    name: "ecomarket.example",
    pool: true,
    maxConnections: 5,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  });
  return {
    transport: "smtp",
    server: {
      name: `the mail server at ${host}`,
      // Connection, greeting, EHLO, and the login where there is one.
      check: async () => void await transport.verify(),
    },
    async send(email, signal) {
      signal.throwIfAborted();
      try {
        await transport.sendMail({ ...email, to: { ...email.to } });
      } catch (error) {
        const text = `the mail server did not take the email: ${messageOf(error)}`;
        throw isRefusalOfThisEmail(error)
          ? new PermanentError(text, { cause: error })
          : new Error(text, { cause: error });
      }
    },
  };
}

/**
 * Whether the server will never take this email, rather than not us (a refused login), or not now.
 * n.b. nodemailer says which step was refused: the envelope (MAIL, RCPT) or the message (DATA).
 */
function isRefusalOfThisEmail(error: unknown): boolean {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  return (code === "EENVELOPE" || code === "EMESSAGE") && Number(responseCode) >= 500;
}
