/**
 * Who may do what: everybody on this machine may look, and who has the token of the terminal may press
 * buttons. No other site's page gets an answer, whatever name it gave to our address.
 */
import { timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

/** What decides about a request. */
export interface RequestFacts {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly authorization: string | undefined;
}

/** Why a request is refused, for a person. */
export type Refusal = string;

/** A token that nobody guesses. */
export function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/**
 * Why a request is not answered, or nothing. `port` is the one that we listen on.
 *
 * n.b. a page of elsewhere whose name was made to lead to the loopback (DNS rebinding) has its own name
 * in `Host`: only the names of the loopback are ours.
 */
export function refuse(facts: RequestFacts, port: number, token: string): Refusal | undefined {
  const hosts = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${port}`);
  if (!hosts.includes(facts.host ?? "")) {
    return "This page answers on the loopback alone, and not to other names";
  }
  if (facts.origin !== undefined && facts.origin !== `http://${facts.host}`) {
    return "Another site asked: this page answers to itself alone";
  }
  if (facts.fetchSite === "cross-site" || facts.fetchSite === "same-site") {
    return "Another site asked: this page answers to itself alone";
  }
  const reads = facts.method === "GET" || facts.method === "HEAD";
  if (!reads && !hasToken(facts.authorization, token)) {
    return "To look is free; to press a button takes the address that the terminal shows";
  }
  return undefined;
}

/** Whether the request has the token, compared in a time that tells nothing of it. */
export function hasToken(authorization: string | undefined, token: string): boolean {
  const given = Buffer.from(authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * What every answer says: scripts, styles and connections are this server's own, nothing may frame the
 * page, and nothing of it is kept.
 */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};
