/**
 * The certificates of the private broker: a CA of this project's own, and a server certificate for the
 * loopback. For development only: whoever reads the CA's key can pretend to be this broker.
 */
import { X509Certificate } from "node:crypto";
import { join, resolve } from "node:path";
import { ignoreNotFound } from "@ecomarket/shared/base/errors";
import { makeAuthority, makeCertificate } from "../machine/certificates.ts";
import type { NodeTls } from "../node/node_files.ts";

/** What the server certificate is for: the loopback, by each of its names. */
const NAMES = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"];
const DAYS = 365;
const DAY_MS = 86_400_000;
/** A certificate that ends earlier than this is made anew. */
const RENEWED_DAYS_BEFORE_ITS_END = 30;

/**
 * The private broker's certificates below `directory`: those of the last time while they are good for
 * another month, else new ones. Keys are in `ca/`, which no role's sandbox lets it read; the CA's
 * certificate, which clients need, is in `tls/`.
 *
 * @throws {BrokerSetupError} when there is no `openssl`, or it fails: with what to run.
 */
export async function developmentCa(directory: string): Promise<NodeTls> {
  const { keys: folder, clients } = folders(directory);
  const authority = { certificate: join(folder, "ca.pem"), key: join(folder, "ca.key") };
  const server = { certificate: join(folder, "server.pem"), key: join(folder, "server.key") };
  if (!await isGood(authority.certificate, server.certificate)) {
    // n.b. the server's certificate comes last: were we killed before, all is made anew.
    await Deno.remove(folder, { recursive: true }).catch(() => {}); // It was never made.
    await makeAuthority(authority, { commonName: "EcoMarket development CA", days: DAYS });
    const options = { commonName: "localhost", names: NAMES, days: DAYS };
    await makeCertificate(server, options, authority);
  }
  await Deno.mkdir(clients, { recursive: true, mode: 0o700 });
  const ca = join(clients, "ca.pem");
  await Deno.copyFile(authority.certificate, ca);
  return { ca, ...server };
}

/** Deletes what {@link developmentCa} has made below `directory`, and no certificate of anybody else. */
export async function removeDevelopmentCa(directory: string): Promise<void> {
  const { keys, clients } = folders(directory);
  await Deno.remove(keys, { recursive: true }).catch(ignoreNotFound);
  await Deno.remove(join(clients, "ca.pem")).catch(ignoreNotFound);
}

function folders(directory: string): { readonly keys: string; readonly clients: string } {
  const base = resolve(directory);
  return { keys: join(base, "ca"), clients: join(base, "tls") };
}

/** Whether both are there, one signed by the other, and valid for some time. */
async function isGood(ca: string, server: string): Promise<boolean> {
  try {
    const [issuer, own] = await Promise.all(
      [ca, server].map(async (path) => new X509Certificate(await Deno.readTextFile(path))),
    );
    const earliest = Date.now() + RENEWED_DAYS_BEFORE_ITS_END * DAY_MS;
    return own!.verify(issuer!.publicKey) &&
      [issuer, own].every((each) => Date.parse(each!.validTo) > earliest);
  } catch {
    return false; // Missing, or half-written.
  }
}
