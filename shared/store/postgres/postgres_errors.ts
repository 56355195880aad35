/**
 * What an error of PostgreSQL says, and of whom: of the way to it or its state (another try may help),
 * of two transactions that met (try again at once), or of the statement (it can never succeed).
 */
import { messageOf, StoreRefusedError, StoreUnavailableError } from "../../base/errors.ts";

/** Whom an error speaks of. */
export type Fault = "unavailable" | "refused" | "conflict" | "statement";

/**
 * Codes and classes of codes (https://www.postgresql.org/docs/current/errcodes-appendix.html) that
 * speak of the server, and not of the statement: connection exceptions, insufficient resources (disk
 * full, out of memory, too many connections), operator intervention (shutting down, starting, a
 * statement that took too long), system errors, corruption.
 */
const UNAVAILABLE_CLASSES = ["08", "53", "57", "58", "F0", "XX"];
const UNAVAILABLE = new Set([
  "25006", // read_only_sql_transaction: a standby, or a server that its operator has made read-only
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
  "55P03", // lock_not_available: `lock_timeout` is over
]);
/** The server knows us not, or lets us not: a person has to do something first. */
const REFUSED_CLASSES = ["28"];
const REFUSED = new Set([
  "3D000", // invalid_catalog_name: no such database
  "42501", // insufficient_privilege
]);
/** serialization_failure and deadlock_detected. */
const CONFLICTS = new Set(["40001", "40P01"]);

/** Whom `error` speaks of. What is no error of PostgreSQL or of the network is a `statement`'s. */
export function faultOf(error: unknown): Fault {
  if (error instanceof StoreRefusedError) return "refused";
  if (error instanceof StoreUnavailableError) return "unavailable";
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof code !== "string") return "statement";
  if (CONFLICTS.has(code)) return "conflict";
  if (isSqlState(code)) {
    const isOneOf = (classes: readonly string[]) => classes.some((start) => code.startsWith(start));
    if (REFUSED.has(code) || isOneOf(REFUSED_CLASSES)) return "refused";
    return UNAVAILABLE.has(code) || isOneOf(UNAVAILABLE_CLASSES) ? "unavailable" : "statement";
  }
  // Of the system (ECONNREFUSED, ENOTFOUND), of TLS, or of the package (CONNECTION_CLOSED).
  return /^(E[A-Z]+|CONNECT|ERR_|CERT|DEPTH_|UNABLE_|SELF_SIGNED|SASL_|MESSAGE_)/.test(code)
    ? "unavailable"
    : "statement";
}

/**
 * `error` as this project tells it: `what` names what could not be done, and where. n.b. without a
 * `cause`: the package's errors carry the parameters of the statement, which are personal data.
 */
export function asStoreError(error: unknown, what: string): unknown {
  const fault = faultOf(error);
  if (error instanceof StoreUnavailableError || fault === "statement") return error;
  const message = `${what}: ${messageOf(error)}`;
  return fault === "refused" ? new StoreRefusedError(message) : new StoreUnavailableError(message);
}

/** Five characters: digits and capitals, and at least one digit. */
function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && /\d|^XX/.test(code);
}
