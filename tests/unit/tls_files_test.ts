import assert from "node:assert/strict";
import { join } from "node:path";
import { makeAuthority, makeCertificate } from "@ecomarket/setup/machine/certificates";
import { ConfigError } from "@ecomarket/shared/base/errors";
import { amqpUrls, managementUrl } from "@ecomarket/shared/process/config";
import { readTlsFiles, tlsPaths } from "@ecomarket/shared/process/tls_files";
import { temporaryFolder } from "../support/temporary_folder.ts";

const AMQP_URL = "amqps://ana:secreto@host:5671/tienda";

/** A reader of these variables. */
const environment = (variables: Record<string, string>) => (name: string) => variables[name];

/** What is said of these variables. */
function complaint(variables: Record<string, string>): string {
  try {
    amqpUrls(environment({ AMQP_URL, ...variables }));
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  return "nothing";
}

Deno.test("amqpUrls() gives each amqps: URL its certificates, and refuses those that cannot be used", async () => {
  await using folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const ca = { certificate: path("ca.pem"), key: path("ca.key") };
  const client = { certificate: path("client.pem"), key: path("client.key") };
  await makeAuthority(ca, { commonName: "ca", days: 1 });
  await makeCertificate(client, { commonName: "client", names: [], days: 1 }, ca);
  await Deno.writeTextFile(path("text.pem"), "no PEM");
  const encrypted =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
  await Deno.writeTextFile(path("encrypted.key"), encrypted);

  const AMQP_CA_FILE = ca.certificate;
  const pair = { AMQP_CERT_FILE: client.certificate, AMQP_KEY_FILE: client.key };
  const read = environment({ AMQP_URL: `${AMQP_URL},amqp://plain`, AMQP_CA_FILE, ...pair });
  const [url, plain] = amqpUrls(read);
  assert.deepEqual(tlsPaths(url!), [ca.certificate, client.certificate, client.key]);
  assert.equal(readTlsFiles(url!).key, await Deno.readTextFile(client.key));
  assert.equal(plain, "amqp://plain");
  const own = `${AMQP_URL}?cacertfile=${encodeURIComponent(client.certificate)}`;
  assert.deepEqual(amqpUrls(environment({ AMQP_URL: own, AMQP_CA_FILE })), [own]);
  assert.match(managementUrl(read), /^https:\/\/ana:secreto@host:15671\/\?cacertfile=/);

  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ AMQP_CA_FILE: path("none.pem") }, /^AMQP_CA_FILE .*none\.pem: there is no such file/],
    [{ AMQP_CA_FILE: folder.path }, /^AMQP_CA_FILE .*directory/],
    [{ AMQP_CA_FILE: path("text.pem") }, /^AMQP_CA_FILE .*holds no certificate in PEM/],
    [{ AMQP_CERT_FILE: client.certificate }, /^AMQP_CERT_FILE .*Set AMQP_KEY_FILE as well/],
    [{ AMQP_KEY_FILE: client.key }, /^AMQP_KEY_FILE .*Set AMQP_CERT_FILE as well/],
    [{ ...pair, AMQP_KEY_FILE: ca.key }, /^AMQP_KEY_FILE .*not the key of the certificate/],
    [{ ...pair, AMQP_KEY_FILE: path("text.pem") }, /^AMQP_KEY_FILE .*no private key in PEM/],
    [{ ...pair, AMQP_KEY_FILE: path("encrypted.key") }, /^AMQP_KEY_FILE .*it is encrypted/],
  ];
  for (const [variables, says] of cases) {
    assert.match(complaint(variables), says);
    assert.doesNotMatch(complaint(variables), /secreto|BEGIN/);
  }
});
