/** A real mail server on the loopback, that refuses what a test wants refused. */
import type { AddressInfo, Socket } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** One email as it came over the wire. */
export interface ReceivedEmail {
  readonly from: string;
  readonly recipients: readonly string[];
  /** What the client called itself. */
  readonly clientName: string;
  /** Each header field by its name in lower case, unfolded and decoded. A second one is an error. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Where the server refuses, and with what. */
export interface SmtpOptions {
  /** @default a free port */
  readonly port?: number;
  /** Called for each recipient; what it returns is the refusal. */
  readonly refuse?: () => SmtpRefusal | undefined;
  /** Demands a login, and refuses each for which this returns true. @default no login is asked for */
  readonly refuseLogin?: () => boolean;
  /** Cuts the connection at a recipient for whom this returns true, without a word. */
  readonly cutAt?: (recipient: string) => boolean;
  /** Says nothing for ever at a recipient for whom this returns true. */
  readonly silentAt?: (recipient: string) => boolean;
}

/** An SMTP reply that is no success. */
export interface SmtpRefusal {
  readonly code: number;
  readonly text: string;
}

/** A running mail server. */
export interface SmtpTestServer extends AsyncDisposable {
  readonly port: number;
  readonly received: readonly ReceivedEmail[];
}

/** Starts one. Disposing it cuts whatever is connected. */
export async function startSmtpServer(options: SmtpOptions = {}): Promise<SmtpTestServer> {
  const received: ReceivedEmail[] = [];
  const settings: SMTPServerOptions = {
    // n.b. its own certificate is nobody's: a client would rightly refuse it.
    disabledCommands: ["STARTTLS", ...(options.refuseLogin ? [] : ["AUTH"])],
    allowInsecureAuth: true,
    authOptional: !options.refuseLogin,
    closeTimeout: 1,
    onAuth: ({ username }, _session, done) => {
      if (options.refuseLogin?.()) done(new Error("Invalid login"));
      else done(null, { user: username });
    },
    onRcptTo: ({ address }, session, done) => {
      if (options.cutAt?.(address)) return cut(server, session.id);
      if (options.silentAt?.(address)) return;
      const refusal = options.refuse?.();
      done(refusal && Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
    },
    onData: (stream, session, done) => {
      const chunks: Uint8Array[] = [];
      stream.on("data", (chunk) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom ? mailFrom.address : "",
          recipients: rcptTo.map(({ address }) => address),
          clientName: session.hostNameAppearsAs,
          ...parseEmail(new TextDecoder().decode(concat(chunks))),
        });
        done();
      });
    },
  };
  const server = new SMTPServer(settings);
  server.on("error", () => {}); // A client that is cut off: its side tells.
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, "127.0.0.1", () => resolve());
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

/** n.b. the package has no way to hang up in the middle of a session: its socket has. */
function cut(server: SMTPServer, sessionId: string): void {
  const connections = server.connections as unknown as Set<{ id: string; _socket: Socket }>;
  for (const { id, _socket } of connections) if (id === sessionId) _socket.destroy();
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

function parseEmail(raw: string): Pick<ReceivedEmail, "headers" | "text"> {
  const end = raw.indexOf("\r\n\r\n");
  const headers = new Map<string, string>();
  for (const line of raw.slice(0, end).replaceAll(/\r\n[ \t]+/g, " ").split("\r\n")) {
    const [, name = "", value = ""] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (headers.has(name.toLowerCase())) throw new Error(`Two fields are called ${name}`);
    headers.set(name.toLowerCase(), decodeWords(value));
  }
  const body = raw.slice(end + 4);
  return { headers, text: decodeBody(body, headers.get("content-transfer-encoding") ?? "7bit") };
}

/** The encoded words of RFC 2047 in `value`, decoded. White space between two of them is none. */
function decodeWords(value: string): string {
  return value.replaceAll(/\?=\s+=\?/g, "?==?")
    .replaceAll(
      /=\?utf-8\?([qb])\?([^?]*)\?=/gi,
      (_, encoding: string, text: string) =>
        encoding.toLowerCase() === "b"
          ? decodeBody(text, "base64")
          : decodeBody(text.replaceAll("_", " "), "quoted-printable"),
    );
}

function decodeBody(body: string, encoding: string): string {
  const utf8 = (bytes: Iterable<number>) => new TextDecoder().decode(new Uint8Array([...bytes]));
  const bytesOf = (binary: string) => [...binary].map((character) => character.charCodeAt(0));
  switch (encoding) {
    case "base64":
      return utf8(bytesOf(atob(body.replaceAll(/\s/g, ""))));
    case "quoted-printable": {
      const joined = body.replaceAll("=\r\n", "");
      return utf8(bytesOf(
        joined.replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
      ));
    }
    default:
      return body;
  }
}
