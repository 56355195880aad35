/** Asks whether a broker answers at a URL. Every probe ends within its time, whatever is there. */
import { messageOf, TlsRefusedError } from "@ecomarket/shared/base/errors";
import { brokerVersion } from "@ecomarket/shared/broker/broker_version";
import { dial } from "@ecomarket/shared/broker/dial";
import { isRefusal } from "@ecomarket/shared/broker/connection_errors";

/** What was found at an AMQP URL. */
export type Probe =
  | { readonly found: "broker"; readonly version: string }
  /** A broker that refuses these credentials or this virtual host. */
  | { readonly found: "refusal"; readonly reason: string }
  /** One that cannot be reached as its URL demands: encrypted, or in clear text. */
  | { readonly found: "tls-refusal"; readonly reason: string; readonly error: TlsRefusedError }
  /** Something that accepts connections and is no broker, or a broker that hangs. */
  | { readonly found: "stranger"; readonly reason: string }
  | { readonly found: "nobody"; readonly reason: string };

/**
 * Opens an AMQP connection with the URL's credentials, and closes it.
 *
 * @param timeoutMs for everything together. @default 3000
 */
export async function probeBroker(url: string, timeoutMs = 3_000): Promise<Probe> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const opening = openAndClose(url, timeoutMs);
  // n.b. amqplib's `timeout` is for silence: a stranger that sends a byte now and then resets it.
  const late = new Promise<Probe>((resolve) => {
    const stranger = { found: "stranger", reason: `no AMQP within ${timeoutMs} ms` } as const;
    timer = setTimeout(() => resolve(stranger), timeoutMs);
  });
  return await Promise.race([opening, late]).finally(() => clearTimeout(timer));
}

async function openAndClose(url: string, timeoutMs: number): Promise<Probe> {
  try {
    const model = await dial(url, { role: "probe", timeoutMs });
    const version = brokerVersion(model);
    model.on("error", () => {});
    await model.close();
    return { found: "broker", version };
  } catch (error) {
    return classify(error);
  }
}

/** Reads what amqplib throws while it connects (`lib/connection.js`@2.3.1). */
export function classify(error: unknown): Probe {
  const reason = messageOf(error);
  const code = (error as { code?: unknown }).code;
  if (error instanceof TlsRefusedError) return { found: "tls-refusal", reason, error };
  if (isRefusal(error)) return { found: "refusal", reason };
  const unreachable = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
  if (unreachable.some((name) => code === name || reason.includes(name))) {
    return { found: "nobody", reason };
  }
  return { found: "stranger", reason };
}

/**
 * Whether the management HTTP API at `url` (credentials included) answers.
 *
 * @param timeoutMs @default 3000
 */
export async function managementAnswers(url: string, timeoutMs = 3_000): Promise<boolean> {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${
    btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
  }`;
  try {
    const response = await fetch(`${origin}/api/overview`, {
      headers: { authorization },
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
