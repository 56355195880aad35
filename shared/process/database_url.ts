/** `DATABASE_URL`: where PostgreSQL is, as whom, and how the way to it is encrypted. */
import { ConfigError, messageOf } from "../base/errors.ts";

/** One server of several that hold the same data: one of them is the primary. */
export interface DatabaseHost {
  readonly hostname: string;
  readonly port: number;
}

/** A database on PostgreSQL. */
export interface DatabaseAddress {
  /** Tried in turn, until one is the primary. */
  readonly hosts: readonly DatabaseHost[];
  readonly user: string;
  /** Never shown. */
  readonly password: string;
  readonly database: string;
  /**
   * `disable` is clear text, `require` encrypts and believes whoever answers, `verify-full` checks the
   * server's certificate and name. @default "disable"
   */
  readonly sslmode: "disable" | "require" | "verify-full";
  /** The CA to trust in place of the system's, PEM. Of use with `verify-full` alone. */
  readonly ca?: string;
}

const SSL_MODES = ["disable", "require", "verify-full"] as const;
const DEFAULT_PORT = 5432;
const EXAMPLE = "postgres://user:password@host:5432/database";

/**
 * Reads a URL such as `postgres://user:password@host:5432/database?sslmode=verify-full`. Several hosts
 * have commas between them: `postgres://user:password@one:5432,two:5432/database`.
 *
 * @throws {ConfigError} when it is none, or names a file that cannot be read. It is not shown.
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const match =
    /^postgres(?:ql)?:\/\/(?<credentials>[^@/?]+)@(?<hosts>[^@/?]+)\/(?<rest>[^/?]+(?:\?.*)?)$/
      .exec(text);
  const { credentials, hosts, rest } = match?.groups ?? {};
  if (!credentials || !hosts || !rest) throw malformed();
  const [user = "", password = ""] = splitOnce(credentials, ":").map(decode);
  const [database = "", query = ""] = splitOnce(rest, "?");
  if (user === "" || database === "") throw malformed();
  return {
    hosts: hosts.split(",").map(parseHost),
    user,
    password,
    database: decode(database),
    ...parseParameters(new URLSearchParams(query)),
  };
}

/** What may be logged and shown of `address`: no password. */
export function showDatabase({ hosts, database, user }: DatabaseAddress): string {
  const places = hosts.map(({ hostname, port }) => `${hostname}:${port}`).join(",");
  return `the database "${database}" at ${places} (as ${user})`;
}

function parseHost(text: string): DatabaseHost {
  const url = `tcp://${text}`;
  if (!URL.canParse(url)) throw malformed();
  const { hostname, port, pathname } = new URL(url);
  if (hostname === "" || pathname !== "") throw malformed();
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || DEFAULT_PORT };
}

function parseParameters(query: URLSearchParams): Pick<DatabaseAddress, "sslmode" | "ca"> {
  for (const name of query.keys()) {
    if (name !== "sslmode" && name !== "sslrootcert") {
      throw new ConfigError(
        `DATABASE_URL has the parameter "${name}": only sslmode and sslrootcert are known`,
      );
    }
  }
  const given = query.get("sslmode") ?? "disable";
  const sslmode = SSL_MODES.find((mode) => mode === given);
  if (!sslmode) {
    throw new ConfigError(
      `DATABASE_URL has sslmode=${given}: it must be ${SSL_MODES.join(", ")}`,
    );
  }
  const path = query.get("sslrootcert");
  return path === null ? { sslmode } : { sslmode, ca: readCa(path) };
}

function readCa(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new ConfigError(`Cannot read the sslrootcert of DATABASE_URL: ${messageOf(error)}`);
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decode(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    throw malformed();
  }
}

function malformed(): ConfigError {
  return new ConfigError(
    `DATABASE_URL must be like ${EXAMPLE} (special characters in a password are written like %40); ` +
      "what is set is not shown, for it may hold a password",
  );
}
