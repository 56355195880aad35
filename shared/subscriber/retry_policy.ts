/** What becomes of a delivery, decided without doing anything. */
import {
  HandlerTimeoutError,
  InvalidMessageError,
  messageOf,
  NewerEventError,
  PermanentError,
} from "../base/errors.ts";
import { deliveryCount, type FailureReason, retriesSoFar } from "../contract/headers.ts";
import type { FailureRoute } from "./subscriber_spec.ts";

/** What is done with a delivery that failed. There is no `requeue`: see docs/decisions/0002. */
export type Disposition =
  | { readonly kind: "putBack"; readonly message: string }
  | FailureDisposition;

/** What is done with one that is at fault itself. */
export type FailureDisposition =
  | { readonly kind: "retry"; readonly delayMs: number; readonly message: string }
  | { readonly kind: "deadLetter"; readonly reason: FailureReason; readonly message: string };

/**
 * How often the message has failed before: by our own count, which travels with the copies, or with
 * native retry by the broker's, which counts dead consumers as well.
 */
export function failuresSoFar(
  { kind }: FailureRoute,
  headers: Readonly<Record<string, unknown>> | undefined,
): number {
  return kind === "native" ? deliveryCount(headers) : retriesSoFar(headers);
}

/** Whether `error` is the last word on its message, whatever else may be wrong. */
export function isVerdict(error: unknown): boolean {
  return error instanceof InvalidMessageError || error instanceof PermanentError;
}

/**
 * What to do with a delivery whose handling threw `error`, after `retries` retries.
 * `isDependencyAway` is whether what the handler depends on could not be used when it was asked for
 * after that:
 *
 * | error                         | disposition                                           |
 * | ----------------------------- | ----------------------------------------------------- |
 * | {@link InvalidMessageError}   | dead-letter at once: `invalid-message`                |
 * | {@link NewerEventError}       | dead-letter at once: `newer-event`                    |
 * | {@link PermanentError}        | dead-letter at once: `permanent-error`                |
 * | any other, dependency away    | put back, uncounted: no event is at fault             |
 * | any other, retries left       | retry after `delaysMs[retries]`                       |
 * | any other, no retries left    | dead-letter: `retries-exhausted`                      |
 * | {@link HandlerTimeoutError}   | the same, with a reason of its own: `handler-timeout` |
 */
export function dispositionOf(
  error: unknown,
  retries: number,
  delaysMs: readonly number[],
  isDependencyAway = false,
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
  if (isDependencyAway) return { kind: "putBack", message };
  const delayMs = delaysMs[retries];
  if (delayMs !== undefined) return { kind: "retry", delayMs, message };
  const reason = error instanceof HandlerTimeoutError ? "handler-timeout" : "retries-exhausted";
  return { kind: "deadLetter", reason, message };
}
