/** What the API answers when it does not do what it was asked: RFC 9457, `application/problem+json`. */
import type { FieldIssue } from "@ecomarket/shared/event";

/** The statuses that are answered with a problem, and their names in RFC 9110 and RFC 6585. */
const TITLES = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
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
  const body = { type: "about:blank", title: TITLES[status], status, detail, errors };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
