/** Makes certificates with this machine's `openssl`, for development and for tests. */
import { dirname } from "node:path";
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { lastLines, runProgram } from "./run_program.ts";

const TIMEOUT_MS = 30_000;

/** A certificate and its private key, as files in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is to say. */
export interface CertificateOptions {
  readonly commonName: string;
  /** From now on. A negative number makes one that has expired. */
  readonly days: number;
}

/**
 * Makes a CA that signs itself. Its key is its owner's alone.
 *
 * @throws {BrokerSetupError} when there is no `openssl`, or it fails: with what to run.
 */
export async function makeAuthority(files: KeyPair, options: CertificateOptions): Promise<void> {
  await using request = await newRequest(files, options.commonName, [
    "basicConstraints = critical, CA:TRUE",
    "keyUsage = critical, keyCertSign, cRLSign",
  ]);
  await request.sign(["-signkey", files.key], options.days);
}

/**
 * Makes a certificate that `authority` signs, for a server of the `names` (such as `DNS:localhost` or
 * `IP:127.0.0.1`), or for a client.
 *
 * @throws {BrokerSetupError} when there is no `openssl`, or it fails: with what to run.
 */
export async function makeCertificate(
  files: KeyPair,
  options: CertificateOptions & { readonly names: readonly string[] },
  authority: KeyPair,
): Promise<void> {
  await using request = await newRequest(files, options.commonName, [
    "basicConstraints = critical, CA:FALSE",
    "keyUsage = critical, digitalSignature",
    "extendedKeyUsage = serverAuth, clientAuth",
    ...(options.names.length > 0 ? [`subjectAltName = ${options.names.join(", ")}`] : []),
  ]);
  await request.sign(["-CA", authority.certificate, "-CAkey", authority.key], options.days);
}

interface Request extends AsyncDisposable {
  sign(signer: readonly string[], days: number): Promise<void>;
}

/** A new key and the wish for its certificate. The files on the way are removed when disposed of. */
async function newRequest(
  { certificate, key }: KeyPair,
  commonName: string,
  extensions: readonly string[],
): Promise<Request> {
  await Deno.mkdir(dirname(key), { recursive: true, mode: 0o700 });
  // Before there is a key in it: older versions of openssl leave the file open to others.
  await Deno.writeTextFile(key, "", { mode: 0o600 });
  const [config, wish] = [`${certificate}.cnf`, `${certificate}.csr`];
  // n.b. our own configuration: the system's may add extensions that contradict ours.
  await Deno.writeTextFile(
    config,
    ["[req]", "distinguished_name = dn", "[dn]", "[ext]", ...extensions, ""].join("\n"),
  );
  await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key);
  const subject = `/O=EcoMarket development/CN=${commonName}`;
  await openssl("req", "-new", "-config", config, "-key", key, "-subj", subject, "-out", wish);
  return {
    sign: async (signer, days) => {
      const serial = `0x${crypto.randomUUID().replaceAll("-", "").replace(/^./, "1")}`;
      const ext = ["-extfile", config, "-extensions", "ext"];
      const rest = ["-set_serial", serial, "-days", String(days), "-sha256", "-out", certificate];
      await openssl("x509", "-req", "-in", wish, ...signer, ...ext, ...rest);
    },
    [Symbol.asyncDispose]: async () => {
      await Deno.remove(config);
      await Deno.remove(wish);
    },
  };
}

async function openssl(...args: readonly string[]): Promise<void> {
  const result = await runProgram("openssl", args, { timeoutMs: TIMEOUT_MS });
  if (result?.success) return;
  if (result) {
    throw new BrokerSetupError(`\`openssl ${args[0]}\` failed:\n${lastLines(result.output)}`);
  }
  throw new BrokerSetupError(
    "Cannot make certificates: openssl is not installed. " +
      "Run this, then try again: sudo apt-get install -y openssl",
  );
}
