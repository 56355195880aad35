/** One attempt to connect to one node, encrypted or not, and why it failed. */
import { connect as connectTls } from "node:tls";
import { type ChannelModel, connect, type Options, type SocketOptions } from "amqplib";
import { messageOf, TlsRefusedError } from "../base/errors.ts";
import { redactUrl } from "../process/config.ts";
import { isTls, readTlsFiles } from "../process/tls_files.ts";
import { gatherWrites } from "./gathered_writes.ts";
import { socketOf } from "./link.ts";
import { tlsRefusal } from "./tls_errors.ts";

/** Seconds between heartbeats: a link that carries nothing for twice that long is dead. */
export const DEFAULT_HEARTBEAT_S = 10;

/** How to connect. */
export interface DialOptions {
  /** Who connects: the name shown in the management UI. */
  readonly role: string;
  /** How long the node may be silent. */
  readonly timeoutMs: number;
  /** @default {@link DEFAULT_HEARTBEAT_S} */
  readonly heartbeatS?: number;
}

/**
 * A connection to the node at `url`. Certificates are read anew each time, so that one that was
 * renewed is taken up without a restart. The broker's is verified, its host name included.
 *
 * @throws {ConfigError} when a certificate of ours cannot be used.
 * @throws {TlsRefusedError} when the two sides do not come to an encrypted connection, or one of them
 * expects one and the other does not.
 */
export async function dial(
  url: string,
  { role, timeoutMs, heartbeatS = DEFAULT_HEARTBEAT_S }: DialOptions,
): Promise<ChannelModel> {
  const options: SocketOptions = {
    noDelay: true,
    timeout: timeoutMs,
    clientProperties: { connection_name: `ecomarket ${role}` },
    // n.b. said aloud, for `NODE_TLS_REJECT_UNAUTHORIZED=0` in the environment would turn it off.
    ...(isTls(url) ? { ...readTlsFiles(url), rejectUnauthorized: true } : {}),
  };
  const node = parseNode(url, heartbeatS);
  try {
    const model = await connect(node, options);
    gatherWrites(socketOf(model));
    return model;
  } catch (error) {
    if (isTls(url)) throw tlsRefusal(url, error) ?? error;
    if (!mayBeTls(error) || !await speaksTls(node, timeoutMs)) throw error;
    throw new TlsRefusedError(
      `Cannot connect to ${
        redactUrl(url)
      }: that port speaks TLS, and the URL asks for a connection ` +
        "in clear text. Write amqps:// in AMQP_URL, or name the port of plain AMQP (5672)",
      { cause: error },
    );
  }
}

/** The node at an `amqp:` or `amqps:` URL, as amqplib takes it. `heartbeat` is in seconds. */
export function parseNode(text: string, heartbeat: number): Options.Connect {
  const url = new URL(text);
  return {
    protocol: url.protocol.replace(":", ""),
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (url.protocol === "amqps:" ? 5671 : 5672),
    username: decodeURIComponent(url.username) || "guest",
    password: decodeURIComponent(url.password) || "guest",
    vhost: url.pathname.slice(1) || "%2F",
    heartbeat,
  };
}

/** Whether a port that speaks TLS could have answered so: it hangs up on what is no handshake. */
function mayBeTls(error: unknown): boolean {
  return /ECONNRESET|EPIPE|closed abruptly/.test(messageOf(error));
}

/** Asks the port. n.b. nothing is sent to it, so that its certificate need not be trusted. */
async function speaksTls({ hostname, port }: Options.Connect, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connectTls({ host: hostname!, port: port!, rejectUnauthorized: false });
  socket.setTimeout(timeoutMs, () => resolve(false));
  socket.once("secureConnect", () => resolve(true));
  // A refusal in the words of TLS is an answer, too.
  socket.on(
    "error",
    (error) => resolve(/_ALERT_/.test((error as NodeJS.ErrnoException).code ?? "")),
  );
  socket.once("close", () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
