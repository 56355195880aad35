/** The body of a request, before anybody has looked at its fields. */
import { InvalidMessageError } from "@ecomarket/shared/base/errors";
import type { FieldIssue } from "@ecomarket/shared/contract/issues";
import { type Body, parseBody } from "@ecomarket/shared/contract/message";

/** What is wrong with a request: in a sentence, and field by field. */
export interface RefusedRequest {
  readonly detail: string;
  readonly errors: readonly FieldIssue[];
}

/** The JSON object in `content`; or else a refusal that shows `example`. */
export function objectIn(content: Uint8Array, example: string): { body: Body } | RefusedRequest {
  try {
    return { body: parseBody(content) };
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    return { detail: `${expected(example)}: ${error.message}`, errors: [] };
  }
}

/** The refusal of an object with these problems. */
export function refused(example: string, errors: readonly FieldIssue[]): RefusedRequest {
  return { detail: `${expected(example)}: see errors`, errors };
}

function expected(example: string): string {
  return `A body like ${example} is expected`;
}
