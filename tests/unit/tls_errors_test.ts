import assert from "node:assert/strict";
import { tlsRefusal } from "../../shared/broker/tls_errors.ts";

const URL_ = "amqps://ana:secreto@127.0.0.1:5671/tienda?cacertfile=%2Fca.pem";

/** What is said of a failure with this code. */
function said(code: string, more: Record<string, unknown> = {}): string | undefined {
  return tlsRefusal(URL_, Object.assign(new Error("its words"), { code, ...more }))?.message;
}

Deno.test("tlsRefusal() tells each reason, without the password, and what to do", () => {
  const cases: Record<string, RegExp> = {
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: /not signed by a CA that is trusted here .*AMQP_CA_FILE/,
    DEPTH_ZERO_SELF_SIGNED_CERT: /not signed by a CA that is trusted here/,
    CERT_HAS_EXPIRED: /has expired\. Renew/,
    CERT_NOT_YET_VALID: /not valid yet\. Compare this machine's clock/,
    ERR_SSL_WRONG_VERSION_NUMBER: /speaks no TLS.*5671/,
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: /demands a client certificate/,
    ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: /does not accept the client certificate \(its words\)/,
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: /does not accept the client certificate/,
    // n.b. of TLS 1.2 a broker says no more where a client certificate is missing.
    ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: /handshake failed \(its words\).*AMQP_CERT_FILE/,
  };
  for (const [code, says] of Object.entries(cases)) {
    assert.match(said(code) ?? "", says, code);
    assert.match(
      said(code)!,
      /^Cannot connect to amqps:\/\/ana:\*\*\*@127\.0\.0\.1:5671\/tienda: /,
    );
  }
});

Deno.test("tlsRefusal() names the certificate's names and the host that is none of them", () => {
  const cert = { subjectaltname: "DNS:broker.example.com" };
  assert.match(
    said("ERR_TLS_CERT_ALTNAME_INVALID", { cert })!,
    /is for DNS:broker\.example\.com, not for 127\.0\.0\.1/,
  );
});

Deno.test("tlsRefusal() says nothing of what is not about TLS", () => {
  for (const code of ["ECONNREFUSED", "ECONNRESET", ""]) assert.equal(said(code), undefined, code);
  assert.equal(tlsRefusal(URL_, new Error("connect ETIMEDOUT")), undefined);
});
