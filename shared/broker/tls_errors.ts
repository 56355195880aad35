/** What is said when an encrypted connection is refused, by us or by the broker: which of it is wrong. */
import { messageOf, TlsRefusedError } from "../base/errors.ts";
import { redactUrl } from "../process/config.ts";

/** What is wrong, and what to do about it. */
interface Explanation {
  readonly reason: string;
  readonly next: string;
}

/**
 * The error for an `amqps:` connection that failed with `error`, where TLS is why; `undefined` where
 * it is not. The codes are OpenSSL's and Node's, as Deno 2.9 has them too.
 */
export function tlsRefusal(url: string, error: unknown): TlsRefusedError | undefined {
  const explanation = explain(error as TlsFailure, new URL(url).hostname);
  if (!explanation) return undefined;
  return new TlsRefusedError(
    `Cannot connect to ${redactUrl(url)}: ${explanation.reason}. ${explanation.next}`,
    { cause: error },
  );
}

/** What `node:tls` tells with its errors. */
interface TlsFailure {
  readonly code?: unknown;
  readonly cert?: { readonly subjectaltname?: string };
}

const UNKNOWN_CA = new Set([
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "INVALID_CA",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** By which a broker says that it does not accept the client's certificate (RFC 8446, 6.2). */
const CLIENT_REFUSED =
  /_ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)$/;

function explain(error: TlsFailure, host: string): Explanation | undefined {
  const code = String(error?.code ?? "");
  if (UNKNOWN_CA.has(code)) {
    return {
      reason: `its certificate is not signed by a CA that is trusted here (${messageOf(error)})`,
      next: "Set AMQP_CA_FILE to the certificate of that broker's CA",
    };
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      reason: `its certificate is for ${error.cert?.subjectaltname ?? "no name"}, not for ${host}`,
      next: "Use a name of the certificate in AMQP_URL, and see that it is the right broker",
    };
  }
  if (code === "CERT_HAS_EXPIRED") {
    return { reason: "its certificate has expired", next: "Renew the broker's certificate" };
  }
  if (code === "CERT_NOT_YET_VALID") {
    return {
      reason: "its certificate is not valid yet",
      next: "Compare this machine's clock with the broker's",
    };
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return {
      reason: "that port speaks no TLS",
      next: "Name the broker's port for TLS (5671), or write amqp:// for plain AMQP",
    };
  }
  if (code.endsWith("_ALERT_CERTIFICATE_REQUIRED")) {
    return {
      reason: "the broker demands a client certificate, and none was shown",
      next: "Set AMQP_CERT_FILE and AMQP_KEY_FILE",
    };
  }
  if (CLIENT_REFUSED.test(code)) {
    return {
      reason: `the broker does not accept the client certificate (${messageOf(error)})`,
      next: "Set AMQP_CERT_FILE and AMQP_KEY_FILE to one that its CA has signed and that is valid",
    };
  }
  if (!/^(?:ERR_SSL_|ERR_TLS_|CERT_)/.test(code)) return undefined;
  return {
    reason: `the TLS handshake failed (${messageOf(error)})`,
    next:
      "Compare the TLS versions, the ciphers and the demand for a client certificate (AMQP_CERT_FILE)",
  };
}
