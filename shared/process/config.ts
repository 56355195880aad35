/**
 * The environment, parsed once at the edge. Each function reads only the variables that it names,
 * so that a role's permission set need not allow more than the role uses.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { readBrokerUrls } from "./broker_file.ts";
import { type DatabaseAddress, parseDatabaseUrl } from "./database_url.ts";
import { readCredentials, withCredentials } from "./credentials_file.ts";
import type { LogOptions } from "./log.ts";
import { shortened } from "./printable.ts";
import { isTls, withTlsFiles } from "./tls_files.ts";

/** The workshop's development credentials. They are no secret: a private node listens on the loopback only. */
export const DEV_USER = "ecomarket_user";
export const DEV_PASSWORD = "ecomarket_password";

/** Where a broker that nobody configured is expected. */
export const DEFAULT_AMQP_URL = `amqp://${DEV_USER}:${DEV_PASSWORD}@localhost:5672`;

type Reader = (name: string) => string | undefined;
const fromProcess: Reader = (name) => Deno.env.get(name);

/**
 * Where the broker is, and as whom, one URL per node: `AMQP_URL` (a comma-separated list is a
 * cluster), else the private broker that `deno task broker start` runs, else {@link DEFAULT_AMQP_URL}.
 * An `amqps:` URL carries its certificates with it: see {@link withTlsFiles}.
 *
 * @throws {ConfigError} when a URL is malformed or not `amqp:`/`amqps:`, or a certificate is unusable.
 */
export function amqpUrls(read: Reader = fromProcess): readonly string[] {
  const text = read("AMQP_URL") || readBrokerUrls()?.amqpUrl || DEFAULT_AMQP_URL;
  const urls = text.split(",").map((url) => url.trim()).filter((url) => url !== "");
  if (urls.length === 0) throw new ConfigError("AMQP_URL names no broker");
  urls.forEach(checkAmqpUrl);
  return urls.map((url) => withCertificates(url, read));
}

/**
 * As {@link amqpUrls}, for a role: unless `AMQP_URL` says as whom, its own user's where
 * `deno task setup-queues --users` has made one.
 */
export function roleAmqpUrls(role: string, read: Reader = fromProcess): readonly string[] {
  const urls = amqpUrls(read);
  const credentials = read("AMQP_URL") ? undefined : readCredentials(role);
  return credentials ? urls.map((url) => withCredentials(url, credentials)) : urls;
}

/**
 * The management HTTP API, credentials included: `MANAGEMENT_URL`; else, unless `AMQP_URL` names
 * another broker, the private broker's; else port 15672 of the first AMQP host, and 15671 (`https:`)
 * where AMQP is encrypted. User and password are those of `AMQP_URL`.
 *
 * @throws {ConfigError} when a URL is malformed, or a certificate is unusable.
 */
export function managementUrl(read: Reader = fromProcess): string {
  const url = read("MANAGEMENT_URL") ||
    (read("AMQP_URL") ? undefined : readBrokerUrls()?.managementUrl) ||
    derivedManagementUrl(amqpUrls(read)[0]!);
  if (isUrl(url, ["http:", "https:"])) return withCertificates(url, read);
  throw new ConfigError(
    `MANAGEMENT_URL must be like http://user:password@host:15672; ${NOT_SHOWN}`,
  );
}

/** As {@link managementUrl}, for a role: its own user's, as {@link roleAmqpUrls}. */
export function roleManagementUrl(role: string, read: Reader = fromProcess): string {
  const url = managementUrl(read);
  const isGiven = read("AMQP_URL") || read("MANAGEMENT_URL");
  const credentials = isGiven ? undefined : readCredentials(role);
  return credentials ? withCredentials(url, credentials) : url;
}

/** `url`; where it is encrypted, with the files of `AMQP_CA_FILE`, `AMQP_CERT_FILE` and `AMQP_KEY_FILE`. */
function withCertificates(url: string, read: Reader): string {
  // n.b. a role that is not encrypted need not be allowed to read these variables.
  if (!isTls(url)) return url;
  const [ca, cert, key] = [read("AMQP_CA_FILE"), read("AMQP_CERT_FILE"), read("AMQP_KEY_FILE")];
  return withTlsFiles(url, { ca, cert, key });
}

/**
 * The mail server: `SMTP_URL`, or `undefined` where emails are simulated.
 *
 * @throws {ConfigError} when it is no `smtp:` or `smtps:` URL.
 */
export function smtpUrl(read: Reader = fromProcess): string | undefined {
  const url = read("SMTP_URL");
  if (!url || isUrl(url, ["smtp:", "smtps:"])) return url || undefined;
  throw new ConfigError("SMTP_URL must be like smtp://user:password@127.0.0.1:2525");
}

function checkAmqpUrl(url: string): void {
  if (isUrl(url, ["amqp:", "amqps:"])) return;
  throw new ConfigError(
    "AMQP_URL must be like amqp://user:password@host:5672, or several with commas between them " +
      `(special characters in a password are written like %2C); ${NOT_SHOWN}`,
  );
}

/** A URL that can be used: what stands in it can be decoded as well. */
function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  try {
    [url.username, url.password, url.pathname].forEach(decodeURIComponent);
  } catch {
    return false;
  }
  // n.b. nothing listens on port 0, and who reads it as a number would take another one.
  return protocols.includes(url.protocol) && url.hostname !== "" && url.port !== "0";
}

/** What is said instead of a URL that is wrong: where its password begins and ends is not known then. */
const NOT_SHOWN = "what is set is not shown, for it may hold a password";

function derivedManagementUrl(amqpUrl: string): string {
  const { username, password, hostname, search } = new URL(amqpUrl);
  const own = readBrokerUrls();
  if (own?.amqpUrl.split(",").some((url) => nodeOf(url) === nodeOf(amqpUrl))) {
    // n.b. it speaks plain HTTP beside encrypted AMQP, on a port that was free.
    return Object.assign(new URL(own.managementUrl), { username, password }).href;
  }
  const host = `${username}:${password}@${hostname}`;
  return isTls(amqpUrl) ? `https://${host}:15671/${search}` : `http://${host}:15672`;
}

/** Host and port of an AMQP URL; each name of the loopback is the same host. */
function nodeOf(amqpUrl: string): string {
  const { protocol, hostname, port } = new URL(amqpUrl);
  const host = ["localhost", "127.0.0.1", "[::1]"].includes(hostname) ? "localhost" : hostname;
  return `${host}:${port || (protocol === "amqps:" ? 5671 : 5672)}`;
}

/**
 * A URL that may be logged and shown: its password is replaced, also where it is written badly, and
 * its parameters are left out.
 */
export function redactUrl(url: string): string {
  return url.replace(/:\/\/(.*)@/, (_, credentials: string) => {
    const [user] = credentials.split(":", 1);
    return credentials === user ? `://${user}@` : `://${user}:***@`;
  }).replace(/\/?\?.*$/s, "");
}

/** How this process logs: `LOG_FORMAT` (`pretty`), `LOG_LEVEL` (`info`), `LOG_EMAILS` (`plain` in `pretty`, `redacted` in `json`). */
export function logConfig(read: Reader = fromProcess): LogOptions {
  const format = parseVariable("LOG_FORMAT", oneOf("pretty", "json").default("pretty"), read);
  const emails = parseVariable("LOG_EMAILS", oneOf("plain", "redacted").optional(), read);
  return {
    format,
    level: parseVariable(
      "LOG_LEVEL",
      oneOf("trace", "debug", "info", "warning", "error", "fatal").default("info"),
      read,
    ),
    redactEmails: (emails ?? (format === "json" ? "redacted" : "plain")) === "redacted",
  };
}

/** The folder that holds a subscriber's or service's own data: `DATA_DIR` (`data`) and its name. */
export function dataDir(name: string, read: Reader = fromProcess): string {
  return resolve(read("DATA_DIR") || "data", name);
}

/**
 * PostgreSQL for the stores, where several machines share them: `DATABASE_URL`; `undefined` where each
 * store is a file of its own.
 *
 * @throws {ConfigError} when it is no URL of a database on PostgreSQL.
 */
export function databaseAddress(read: Reader = fromProcess): DatabaseAddress | undefined {
  const url = read("DATABASE_URL");
  return url ? parseDatabaseUrl(url) : undefined;
}

/** How a subscriber consumes. */
export interface SubscriberConfig {
  /** Deliveries in flight at once, from `PREFETCH`. @default 100 */
  readonly prefetch: number;
  /** Whether a message may ask for a failure, from `SIMULATE_FAILURES=1`. @default false */
  readonly simulateFailures: boolean;
}

/** @throws {ConfigError} when `PREFETCH` or `SIMULATE_FAILURES` is malformed. */
export function subscriberConfig(read: Reader = fromProcess): SubscriberConfig {
  return {
    prefetch: parseVariable("PREFETCH", wholeNumberText(1, 65_535).default(100), read),
    simulateFailures: parseVariable("SIMULATE_FAILURES", flagText, read),
  };
}

/** A hundred years. */
const MAX_RETENTION_DAYS = 36_500;

/**
 * How many days the inbox remembers an event: `INBOX_RETENTION_DAYS`; `undefined` for ever. It must be
 * longer than the longest time after which an event may come again.
 *
 * @throws {ConfigError} when it is no whole number of days.
 */
export function inboxRetentionDays(read: Reader = fromProcess): number | undefined {
  const days = wholeNumberText(1, MAX_RETENTION_DAYS).optional();
  return parseVariable("INBOX_RETENTION_DAYS", days, read);
}

/** From when on the outbox of the users API is worth a warning. */
export interface OutboxBounds {
  /** From `OUTBOX_MAX_EVENTS`. @default 10000 */
  readonly maxEvents: number;
  /** From `OUTBOX_MAX_AGE_MS`. @default 60000 */
  readonly maxAgeMs: number;
}

/** @throws {ConfigError} when one of its variables is malformed. */
export function outboxBounds(read: Reader = fromProcess): OutboxBounds {
  const bound = (name: string, fallback: number) =>
    parseVariable(name, wholeNumberText(1, Number.MAX_SAFE_INTEGER).default(fallback), read);
  return {
    maxEvents: bound("OUTBOX_MAX_EVENTS", 10_000),
    maxAgeMs: bound("OUTBOX_MAX_AGE_MS", 60_000),
  };
}

/** Where the users API listens, and from when on its outbox is worth a warning. */
export interface UsersApiConfig extends OutboxBounds {
  /** From `HOST`. @default "127.0.0.1" */
  readonly host: string;
  /** From `PORT`; 0 is any free one. @default 8000 */
  readonly port: number;
}

/** @throws {ConfigError} when one of its variables is malformed. */
export function usersApiConfig(read: Reader = fromProcess): UsersApiConfig {
  return {
    host: read("HOST") || "127.0.0.1",
    port: parseVariable("PORT", wholeNumberText(0, 65_535).default(8_000), read),
    ...outboxBounds(read),
  };
}

/**
 * Where a role tells how it is, on the loopback: `HEALTH_PORT`, where 0 is any free port; `undefined`
 * where it tells nobody.
 *
 * @throws {ConfigError} when it is no port.
 */
export function healthPort(read: Reader = fromProcess): number | undefined {
  return parseVariable("HEALTH_PORT", wholeNumberText(0, 65_535).optional(), read);
}

/** Retry delays in milliseconds when nothing else is configured. */
export const DEFAULT_RETRY_DELAYS_MS: readonly number[] = [5_000, 30_000, 120_000];
/** Retry delays in milliseconds with `FAST_RETRY=1`, for demonstrations. */
export const FAST_RETRY_DELAYS_MS: readonly number[] = [200, 400, 800];

/**
 * The delay before each retry, in milliseconds: `RETRY_DELAYS_MS` (`a,b,c`), else
 * {@link FAST_RETRY_DELAYS_MS} with `FAST_RETRY=1`, else {@link DEFAULT_RETRY_DELAYS_MS}.
 * Setup and consumers must be given the same, for each delay is a queue of its own.
 */
export function retryDelaysMs(read: Reader = fromProcess): readonly number[] {
  const custom = parseVariable("RETRY_DELAYS_MS", delayList.optional(), read);
  if (custom) return custom;
  return parseVariable("FAST_RETRY", flagText, read)
    ? FAST_RETRY_DELAYS_MS
    : DEFAULT_RETRY_DELAYS_MS;
}

function oneOf<const T extends readonly [string, ...string[]]>(...values: T) {
  return z.enum(values, { error: `must be ${values.join(" or ")}` });
}

const flagText = z.enum(["0", "1"], { error: "must be 0 or 1" }).default("0")
  .transform((text) => text === "1");

function wholeNumberText(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d+$/, { error }).transform(Number)
    .refine((value) => value >= min && value <= max, { error });
}

/** A day: the longest delay that is still a retry. */
const MAX_DELAY_MS = 86_400_000;
const delayList = z.string()
  .transform((text) => text.split(",").map((part) => part.trim()))
  .refine(
    (parts) => parts.every((part) => /^\d+$/.test(part) && +part >= 1 && +part <= MAX_DELAY_MS),
    { error: `must be delays in milliseconds from 1 to ${MAX_DELAY_MS}, such as 200,400,800` },
  )
  .transform((parts) => parts.map(Number));

function parseVariable<T>(name: string, schema: z.ZodType<T, unknown>, read: Reader): T {
  // An empty variable is one that is not set: shells and compose files make little difference.
  const text = read(name) || undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    `${name} ${parsed.error.issues[0]?.message}, got "${shortened(text ?? "", MAX_QUOTED)}"`,
  );
}

/** Characters of a variable that are quoted. */
const MAX_QUOTED = 80;
