/**
 * The certificates of an `amqps:` or `https:` URL. A URL carries the paths of its files itself, under
 * the names that RabbitMQ has for them (https://www.rabbitmq.com/docs/uri-query-parameters): whoever
 * is given the URL has all that it takes to connect.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { ConfigError, messageOf } from "../base/errors.ts";
import { readSmallFileSync } from "./small_file.ts";

/** The folder where each role's sandbox lets it read certificates and keys. */
export const TLS_DIR = ".broker/tls";

/** A file, by its variable and by its parameter in a URL. */
const FILES = {
  ca: { variable: "AMQP_CA_FILE", parameter: "cacertfile" },
  cert: { variable: "AMQP_CERT_FILE", parameter: "certfile" },
  key: { variable: "AMQP_KEY_FILE", parameter: "keyfile" },
} as const;
type FileName = keyof typeof FILES;
const FILE_NAMES = Object.keys(FILES) as FileName[];

/** What is in the files of a URL, as `node:tls` takes it: PEM. */
export type TlsFiles = Partial<Record<FileName, string>>;

/** Whether what goes to `url` is encrypted. */
export function isTls(url: string): boolean {
  return url.startsWith("amqps:") || url.startsWith("https:");
}

/**
 * `url`, which is encrypted, with the files at `paths`. A file that the URL names itself stays.
 *
 * @throws {ConfigError} when one of its files cannot be used: before anybody connects.
 */
export function withTlsFiles(
  url: string,
  paths: Readonly<Partial<Record<FileName, string | undefined>>>,
): string {
  const complete = new URL(url);
  for (const name of FILE_NAMES) {
    const { parameter } = FILES[name];
    const path = paths[name];
    if (path && !complete.searchParams.has(parameter)) {
      complete.searchParams.set(parameter, resolve(path));
    }
  }
  const href = complete.search === new URL(url).search ? url : complete.href;
  readTlsFiles(href);
  return href;
}

/** The paths of the files that `url` names. */
export function tlsPaths(url: string): readonly string[] {
  return FILE_NAMES.flatMap((name) => pathOf(url, name) ?? []);
}

/**
 * The files that `url` names, as they are now. With a `ca`, no other CA is trusted.
 *
 * @throws {ConfigError} when one cannot be read, is not what it should be, or the key is another
 * certificate's.
 */
export function readTlsFiles(url: string): TlsFiles {
  const files: TlsFiles = {};
  for (const name of FILE_NAMES) {
    const path = pathOf(url, name);
    if (path !== undefined) files[name] = readPem(name, path);
  }
  const authorities = files.ca === undefined ? [] : certificates("ca", url, files.ca);
  if (files.ca !== undefined && authorities.length === 0) throw notPem("ca", url);
  if (files.cert === undefined && files.key === undefined) return files;
  checkPair(url, files);
  return files;
}

function pathOf(url: string, name: FileName): string | undefined {
  return new URL(url).searchParams.get(FILES[name].parameter) || undefined;
}

function readPem(name: FileName, path: string): string {
  try {
    return readSmallFileSync(path);
  } catch (error) {
    throw unusable(name, path, ...reasonOf(error, path), error);
  }
}

function reasonOf(error: unknown, path: string): readonly [reason: string, next: string] {
  if (error instanceof Deno.errors.NotFound) return ["there is no such file", "Correct the path"];
  if (error instanceof Deno.errors.NotCapable) {
    return [
      "the sandbox does not let this program read it",
      `Put it into ${TLS_DIR}/, or add --allow-read=${path}`,
    ];
  }
  return [messageOf(error), "Correct the path, or who may read the file"];
}

/** A client's certificate and its key: both, and of each other. */
function checkPair(url: string, { cert, key }: TlsFiles): void {
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined
      ? ["key", "cert"] as const
      : ["cert", "key"] as const;
    throw unusable(
      given,
      pathOf(url, given)!,
      "a client certificate and its key are used together, and one is missing",
      `Set ${FILES[missing].variable} as well`,
    );
  }
  const [own] = certificates("cert", url, cert);
  if (!own) throw notPem("cert", url);
  if (own.checkPrivateKey(privateKey(url, key))) return;
  throw unusable(
    "key",
    pathOf(url, "key")!,
    `it is not the key of the certificate in ${pathOf(url, "cert")}`,
    "Take the two files that were made together",
  );
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificates(name: FileName, url: string, pem: string): readonly X509Certificate[] {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
  } catch (error) {
    throw notPem(name, url, error);
  }
}

function privateKey(url: string, pem: string): KeyObject {
  const path = pathOf(url, "key")!;
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw unusable(
      "key",
      path,
      "it is encrypted, and a role has nobody to ask for its password",
      "Decrypt it into a file that only the role may read: openssl pkey -in … -out …",
    );
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw unusable("key", path, "it holds no private key in PEM", "Correct the path", error);
  }
}

function notPem(name: FileName, url: string, cause?: unknown): ConfigError {
  const next = "Convert it with: openssl x509 -in … -out …";
  return unusable(name, pathOf(url, name)!, "it holds no certificate in PEM", next, cause);
}

function unusable(
  name: FileName,
  path: string,
  reason: string,
  next: string,
  cause?: unknown,
): ConfigError {
  const { variable, parameter } = FILES[name];
  return new ConfigError(
    `${variable} (or ${parameter} in the URL) cannot be used: ${path}: ${reason}. ${next}`,
    { cause },
  );
}
