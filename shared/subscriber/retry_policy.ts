/** What becomes of a delivery, decided without doing anything. */
import {
  HandlerTimeoutError,
  InvalidMessageError,
  messageOf,
  NewerEventError,
  PermanentError,
} from "../base/errors.ts";
import type { FailureReason } from "../contract/headers.ts";

/** What is done with a delivery that failed. There is no `requeue`: see docs/decisions/0002. */
export type Disposition =
  | { readonly kind: "retry"; readonly delayMs: number; readonly message: string }
  | { readonly kind: "deadLetter"; readonly reason: FailureReason; readonly message: string };

/**
 * What to do with a delivery whose handling threw `error`, after `retries` retries:
 *
 * | error                         | disposition                                           |
 * | ----------------------------- | ----------------------------------------------------- |
 * | {@link InvalidMessageError}   | dead-letter at once: `invalid-message`                |
 * | {@link NewerEventError}       | dead-letter at once: `newer-event`                    |
 * | {@link PermanentError}        | dead-letter at once: `permanent-error`                |
 * | any other, retries left       | retry after `delaysMs[retries]`                       |
 * | any other, no retries left    | dead-letter: `retries-exhausted`                      |
 * | {@link HandlerTimeoutError}   | the same, with a reason of its own: `handler-timeout` |
 */
export function dispositionOf(
  error: unknown,
  retries: number,
  delaysMs: readonly number[],
): Disposition {
  const message = messageOf(error);
  if (error instanceof NewerEventError) {
    return { kind: "deadLetter", reason: "newer-event", message };
  }
  if (error instanceof InvalidMessageError) {
    return { kind: "deadLetter", reason: "invalid-message", message };
  }
  if (error instanceof PermanentError) {
    return { kind: "deadLetter", reason: "permanent-error", message };
  }
  const delayMs = delaysMs[retries];
  if (delayMs !== undefined) return { kind: "retry", delayMs, message };
  const reason = error instanceof HandlerTimeoutError ? "handler-timeout" : "retries-exhausted";
  return { kind: "deadLetter", reason, message };
}
