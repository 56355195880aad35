/** What is said when no connection can be had. */
import { AccessRefusedError, BrokerUnreachableError, messageOf } from "../base/errors.ts";

/** Whether the broker answered, and said no: wrong credentials, or a virtual host that is not ours. */
export function isRefusal(error: unknown): boolean {
  return /ACCESS.REFUSED|NOT.ALLOWED/.test(messageOf(error));
}

/**
 * The sandbox's own refusal, where that is why a connection failed: trying again is useless. n.b. by
 * the time that it comes through `node:net` and amqplib, only its text tells it from others.
 */
export function sandboxRefusal(error: unknown): Error | undefined {
  const text = messageOf(error);
  if (!/Requires net access|getaddrinfo EPERM/.test(text)) return undefined;
  return new Deno.errors.NotCapable(
    `The sandbox does not let this program reach the broker (${text}). Add --allow-net=HOST`,
  );
}

/** The error for a broker that refuses us: the connection itself, or what was asked for on it. */
export function refused(url: string, cause: unknown): AccessRefusedError {
  // n.b. amqplib gives the broker's code to the errors of a channel, not to those of the handshake.
  if ((cause as { code?: unknown }).code === 403) {
    return new AccessRefusedError(
      `The broker at ${url} does not let this user do what its role needs (${messageOf(cause)}). ` +
        "Give each role its rights with: deno task setup-queues --users",
      { cause },
    );
  }
  return new AccessRefusedError(
    `The broker at ${url} refused the connection (${messageOf(cause)}). ` +
      "Check the user, the password and the virtual host in AMQP_URL; where it is not set, run: " +
      "deno task setup-queues --users",
    { cause },
  );
}

/** The error for a broker that did not answer for `waitedMs`. `cause` is the last failed try. */
export function unreachable(
  url: string,
  waitedMs: number,
  cause?: unknown,
): BrokerUnreachableError {
  const reason = cause ? messageOf(cause) : "no answer";
  // What was known at once has waited for nobody.
  const within = waitedMs < 1_000 ? "" : ` within ${Math.round(waitedMs / 1000)} s`;
  return new BrokerUnreachableError(
    `No broker answered at ${url}${within} (${reason}). ` +
      "Start one with: deno task broker start (or set AMQP_URL)",
    { cause },
  );
}
