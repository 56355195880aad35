/** What the API answers when it does not do what it was asked: RFC 9457, `application/problem+json`. */
import type { FieldIssue } from "../contract/issues.ts";
import { printableJson } from "../process/printable.ts";

/** The statuses that are answered with a problem, and their names in RFC 9110 and RFC 6585. */
const TITLES = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/** One of the statuses that a problem can have. */
export type ProblemStatus = keyof typeof TITLES;

/** What a problem holds besides its status. */
export interface ProblemOptions {
  /** Each field that cannot be accepted, with a reason that follows its name. */
  readonly errors?: readonly FieldIssue[];
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A problem, such as
 * `{"type":"about:blank","title":"Conflict","status":409,"detail":"…"}`. `detail` is for a person:
 * what is wrong, and what to do. It never holds an internal error's words.
 */
export function problem(
  status: ProblemStatus,
  detail: string,
  { errors, headers }: ProblemOptions = {},
): Response {
  return new Response(bodyOf(status, detail, errors), {
    status,
    headers: { "Content-Type": MEDIA_TYPE, ...headers },
  });
}

/** The answer to a method that has no meaning here. */
export function methodNotAllowed(allowed: string): Response {
  return problem(405, `Only ${allowed} is understood here`, { headers: { Allow: allowed } });
}

/**
 * The same, as it is written on a connection whose request never became one (HTTP/1.1, RFC 9112). The
 * connection ends with it.
 */
export function lastWords(status: ProblemStatus, detail: string): string {
  const body = bodyOf(status, detail);
  return [
    `HTTP/1.1 ${status} ${TITLES[status]}`,
    `Content-Type: ${MEDIA_TYPE}`,
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}

const MEDIA_TYPE = "application/problem+json";

function bodyOf(status: ProblemStatus, detail: string, errors?: readonly FieldIssue[]): string {
  return printableJson({ type: "about:blank", title: TITLES[status], status, detail, errors });
}
